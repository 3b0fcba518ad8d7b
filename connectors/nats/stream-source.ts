import { Body, Failure, Link, once, type Source, type SourceContext, troubleOf } from '#sdk';
import { Attempts } from './attempts.ts';
import { connectionTo, type Message } from './connection.ts';
import type { NatsSourceOptions } from './definition.ts';
import { partsOf } from './headers.ts';
import { type Delivery, deliveryOf, Held } from './held.ts';
import { Pulls } from './pulls.ts';
import { ensureConsumer, ensureStream, managerOf } from './streams.ts';
import { explain } from './trouble.ts';

export type StreamOptions = NatsSourceOptions & { readonly stream: string };

/** A consumer that hands messages over, as long as its connection lasts. */
interface Reading {
  readonly pulls: Pulls;
  readonly broken: Promise<string | undefined>;
  readonly end: () => void;
}

/** Takes messages of a stream through a durable consumer. */
export async function openStreamSource(options: StreamOptions, context: SourceContext): Promise<Source> {
  const { clock, integration, name: flow } = context;
  const { stream } = options;
  const consumer = options.consumer ?? nameOf(integration.name, flow);
  const prefetch = options.prefetch ?? Math.min(options.maxAckPending, Math.max(20, context.concurrency ?? 1));
  const base = connectionTo(options, context);
  const held = new Held();
  const attempts = new Attempts();
  const running = new Set<Promise<void>>();
  let stopping = false;

  const take = (message: Message): void => {
    const delivery = deliveryOf(message.reply ?? '');
    const { key, sequence, count } = delivery;
    if (!held.add(message, key)) {
      reading.opened?.pulls.ask();
      return;
    }
    if (stopping) {
      held.release(key);
      return;
    }
    const { headers, type } = partsOf(message);
    const work = context
      .deliver({
        body: Body.bytes(message.data, type),
        headers,
        key,
        origin: {
          receivedAt: clock.now(),
          attempt: attempts.of(key, count),
          source: {
            subject: message.subject,
            stream: delivery.stream,
            consumer,
            sequence,
            deliveryCount: count,
            timestamp: new Date(delivery.storedAt).toISOString(),
          },
        },
      })
      .then(
        () => {
          attempts.forget(key);
          held.done(key);
        },
        (thrown: unknown) => giveBack(thrown, delivery),
      )
      .finally(() => {
        running.delete(work);
        reading.opened?.pulls.ask();
      });
    running.add(work);
  };

  const giveBack = (thrown: unknown, { key, count }: Delivery): void => {
    const { ms, attempt } = thrown instanceof Failure && thrown.code === 'postponed' ? thrown.facts : {};
    if (typeof ms !== 'number') {
      held.release(key);
      return;
    }
    if (typeof attempt === 'number') attempts.tell(key, count, attempt);
    held.postpone(key, ms);
  };

  const open = async (signal: AbortSignal): Promise<Reading> => {
    const connected = await base.value.reached(signal);
    const manager = await managerOf(connected);
    await ensureStream(manager, stream, options.declare);
    const { ackWait, made } = await ensureConsumer(manager, connected, options, consumer);
    const { promise: broken, resolve } = Promise.withResolvers<string | undefined>();
    held.connect(connected, made);
    const room = (): number => (stopping ? 0 : prefetch - held.size);
    const pulls = new Pulls(connected, { stream, name: consumer }, { clock, room, onMessage: take, broken: resolve });
    void connected.connection.closed().then(() => resolve(undefined));
    const cancel = repeat(context, Math.max(300, ackWait / 3), () => held.working());
    pulls.ask();
    return {
      pulls,
      broken,
      end: () => {
        cancel();
        held.disconnect();
      },
    };
  };

  const reading = new Link<Reading>(
    {
      far: `The consumer \`${consumer}\` of the stream \`${stream}\``,
      open,
      lost: (one) => one.broken,
      close: async (one) => {
        await one.pulls.end();
        one.end();
      },
      explain,
    },
    context,
  );

  try {
    await base.value.start();
    await reading.start({ patient: base.value.opened === undefined });
  } catch (thrown) {
    await reading.close();
    await base.release();
    throw thrown;
  }

  const close = once(async () => {
    stopping = true;
    while (running.size > 0) await Promise.all(running);
    // What was acknowledged last must be at the server before the connection goes.
    await held.flush();
    await reading.close();
    await base.release();
  });
  return {
    get ready() {
      return reading.opened !== undefined;
    },
    get trouble() {
      return troubleOf(base.value, reading);
    },
    async stop() {
      stopping = true;
      await reading.opened?.pulls.end();
    },
    close,
  };
}

/** Durable names hold no dots, blanks and slashes. */
const nameOf = (integration: string, flow: string): string => `${integration}-${flow}`.replaceAll(/[^\w-]/g, '-');

function repeat({ clock }: SourceContext, ms: number, run: () => void): () => void {
  let cancel = (): void => {};
  const next = (): void => {
    cancel = clock.after(
      ms,
      () => {
        run();
        next();
      },
      true,
    );
  };
  next();
  return () => cancel();
}
