import { Body, Dropped, failure, once, Refrain, type Source, type SourceContext, toFailure, troubleOf } from '#sdk';
import { answer, refuse } from './answering.ts';
import { type Connected, connectionTo, type Library, type Message } from './connection.ts';
import type { NatsSourceOptions } from './definition.ts';
import { partsOf } from './headers.ts';

export type SubjectOptions = NatsSourceOptions & { readonly subjects: readonly string[] };

/** Takes what is published to subjects while we listen: at most once, and what nobody has room for is dropped. */
export async function openSubjectSource(options: SubjectOptions, context: SourceContext): Promise<Source> {
  const { clock, log, name: flow } = context;
  const { capacity, queue, subjects } = options;
  const most = context.concurrency ?? 1;
  const base = connectionTo(options, context);
  const waiting: Message[] = [];
  const dropped = new Dropped(log, clock, flow);
  let running = 0;
  let stopping = false;
  let refused: string | undefined;
  let listening: ReturnType<Connected['connection']['subscribe']>[] = [];

  const begin = (message: Message): void => {
    running++;
    const { headers, type } = partsOf(message);
    const source = { subject: message.subject, ...(message.reply ? { reply: message.reply } : {}) };
    const origin = { receivedAt: clock.now(), attempt: 1, source };
    context
      .deliver({ body: Body.bytes(message.data, type), headers, origin })
      .then(
        (exchange) => tell(message, (library) => answer(library, message, exchange)),
        // Nobody keeps it: the flow has said what went wrong.
        (thrown: unknown) => tell(message, (library) => refuse(library, message, thrown)),
      )
      .finally(() => {
        running--;
        const next = waiting.shift();
        if (next) begin(next);
      });
  };

  const unanswered = new Refrain({ level: 'warn', message: 'an answer could not be sent' }, context);

  /** An answer that cannot be sent is missed by whoever asked, and by nobody else. */
  const tell = async (message: Message, how: (library: Library) => void | Promise<void>): Promise<void> => {
    const { library } = base.value.opened ?? {};
    if (!library || !options.reply) return;
    try {
      await how(library);
    } catch (thrown) {
      const { code, message: detail } = toFailure(thrown);
      unanswered.again(code, { flow, code }, { subject: message.subject, detail });
    }
  };

  const drop = (message: Message): void => {
    dropped.add();
    const full = failure('overloaded', { detail: 'more came than may wait' });
    void tell(message, (library) => refuse(library, message, full));
  };

  const take = (message: Message): void => {
    if (stopping) drop(message);
    else if (running < most) begin(message);
    else if (waiting.length < capacity) waiting.push(message);
    else drop(message);
  };

  const listen = ({ connection }: Connected): void => {
    refused = undefined;
    if (stopping) return;
    listening = subjects.map((subject) =>
      connection.subscribe(subject, {
        ...(queue === undefined ? {} : { queue }),
        callback: (error, message) => {
          if (!error) take(message);
          else {
            refused = `the user may not subscribe to \`${subject}\``;
            log.error('a subscription was refused', { flow, subject });
          }
        },
      }),
    );
  };

  const leave = base.value.onUp(listen);
  try {
    await base.value.start();
    // A refusal comes before the answer.
    await base.value.opened?.flush().catch(() => undefined);
    if (refused !== undefined) throw new Error(refused);
  } catch (thrown) {
    leave();
    await base.release();
    throw thrown;
  }

  const stop = async (): Promise<void> => {
    if (stopping) return;
    // What the server has sent by then is still taken.
    const { opened } = base.value;
    for (const one of opened ? listening : []) void one.drain().catch(() => undefined);
    await opened?.flush().catch(() => undefined);
    stopping = true;
    leave();
  };
  return {
    get ready() {
      return base.value.opened !== undefined && refused === undefined;
    },
    get trouble() {
      return troubleOf(base.value) ?? refused;
    },
    stop,
    close: once(async () => {
      await stop();
      // Those that had not begun: nobody keeps them.
      for (const one of waiting.splice(0)) drop(one);
      dropped.end();
      await base.release();
    }),
  };
}
