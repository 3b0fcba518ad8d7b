import { Body, Dropped, Link, noHeaders, type Source, type SourceContext } from '#sdk';
import { Connection, farOf } from './connection.ts';
import type { RedisSourceOptions } from './definition.ts';
import { explain } from './trouble.ts';

interface Message {
  readonly body: Buffer;
  readonly channel: string;
  readonly pattern: string | undefined;
}

/** Takes what is published to channels while we listen: at most once, and what nobody has room for is dropped. */
export async function openChannelSource(options: RedisSourceOptions, context: SourceContext): Promise<Source> {
  const { clock, log, name: flow } = context;
  const { capacity, channels = [], patterns = [] } = options;
  const most = context.concurrency ?? 1;
  const waiting: Message[] = [];
  const dropped = new Dropped(log, clock, flow);
  let running = 0;
  let stopping = false;

  const begin = ({ body, channel, pattern }: Message): void => {
    running++;
    const source = { channel, ...(pattern === undefined ? {} : { pattern }) };
    const origin = { receivedAt: clock.now(), attempt: 1, source };
    context
      .deliver({ body: Body.bytes(body, undefined), headers: noHeaders, origin })
      // Nobody keeps it: the flow has said what went wrong.
      .catch(() => undefined)
      .finally(() => {
        running--;
        const next = waiting.shift();
        if (next) begin(next);
      });
  };

  const take = (body: Buffer, channel: string, pattern?: string): void => {
    if (stopping) return;
    const message = { body, channel, pattern };
    if (running < most) begin(message);
    else if (waiting.length < capacity) waiting.push(message);
    else dropped.add();
  };

  const link = new Link<Connection>(
    {
      far: farOf(options),
      open: async () => {
        const connection = await Connection.open(options, context, { listening: true });
        try {
          await connection.listen({ channels, patterns }, take);
        } catch (thrown) {
          connection.drop('not allowed');
          throw thrown;
        }
        return connection;
      },
      lost: (connection) => connection.lost,
      close: async (connection) => connection.drop('closed'),
      explain,
    },
    context,
  );
  try {
    await link.start();
  } catch (thrown) {
    await link.close();
    throw thrown;
  }

  const stop = async (): Promise<void> => {
    stopping = true;
    await link.close();
  };
  return {
    get ready() {
      return link.opened !== undefined;
    },
    get trouble() {
      return link.trouble;
    },
    stop,
    async close() {
      await stop();
      // Those that had not begun: nobody keeps them.
      for (const _ of waiting.splice(0)) dropped.add();
      dropped.end();
    },
  };
}
