import { hostname } from 'node:os';
import { Link, once, type Source, type SourceContext, troubleOf } from '#sdk';
import { Connection, connectionTo, farOf } from './connection.ts';
import type { RedisSourceOptions } from './definition.ts';
import { type Entry, partsOf, timeOf } from './entries.ts';
import { Group, type Place } from './group.ts';
import { Held } from './held.ts';
import { Member } from './member.ts';
import { Reader } from './reader.ts';
import { explain } from './trouble.ts';

export type StreamOptions = RedisSourceOptions & { readonly stream: string };

/** A member of the group that takes entries, as long as its connections last. */
interface Reading {
  readonly reader: Reader;
  readonly group: Group;
  readonly blocking: Connection;
  readonly broken: Promise<string | undefined>;
}

const starts: Readonly<Record<string, string>> = { all: '0', new: '$' };

/** Takes the entries of a stream as a member of a group. */
export async function openStreamSource(options: StreamOptions, context: SourceContext): Promise<Source> {
  const { clock, integration, log, name: flow, random } = context;
  const { stream, claimAfter, heartbeat } = options;
  const group = options.group ?? `${integration.name}-${flow}`;
  const consumer = options.consumer ?? `${hostname()}-${random.uuid()}`;
  const place: Place = { stream, group, consumer };
  const prefetch = options.prefetch ?? Math.max(20, context.concurrency ?? 1);
  const base = connectionTo(options, context);
  const { host, pathname } = new URL(options.url);
  const memberKey = JSON.stringify([host, pathname, stream, group, consumer]);
  const shared = context.share(`redis:member:${memberKey}`, () => new Member());
  const member = shared.value;
  const held = new Held(clock, member, () => reading.opened?.reader.wake());
  const leave = member.onGivenBack(() => reading.opened?.reader.look());
  const running = new Set<Promise<void>>();
  let start = starts[options.start] ?? options.start;
  let stopping = false;

  const take = (entry: Entry, count: number): void => {
    const { id, fields } = entry;
    // A group that somebody removes is made again behind what was seen.
    if (count === 1) start = id;
    if (!held.add(id, count)) return;
    if (!fields) {
      trimmed(1);
      held.done(id);
    } else if (stopping) held.release(id);
    else begin(id, fields, count);
  };

  const begin = (id: string, fields: readonly Buffer[], count: number): void => {
    const { body, headers } = partsOf(fields, options.bodyField);
    const work = context
      .deliver({
        body,
        headers,
        key: `${stream}/${id}`,
        origin: {
          receivedAt: clock.now(),
          attempt: count,
          source: { stream, group, consumer, id, deliveryCount: count, timestamp: timestampOf(id) },
        },
      })
      .then(
        () => held.done(id),
        () => held.release(id),
      )
      .finally(() => running.delete(work));
    running.add(work);
  };

  const trimmed = (count: number): void =>
    log.error('entries were trimmed from the stream before they were done', { flow, stream, count });

  const open = async (signal: AbortSignal): Promise<Reading> => {
    const commands = await base.value.reached(signal);
    const mine = new Group(commands, place);
    await mine.ensure(start);
    await mine.tidy().catch(() => undefined);
    const blocking = await Connection.open(options, context, { blocking: true });
    const reader = await Reader.open({ blocking, commands }, mine, place, {
      clock,
      claimAfter,
      heartbeat,
      room: () => (stopping ? 0 : prefetch - held.size),
      isHeld: (id) => member.has(id),
      take,
      trimmed,
    });
    held.connect(mine, claimAfter / 3);
    const { promise: failed, resolve: fail } = Promise.withResolvers<string>();
    reader.run().catch((thrown: unknown) => fail(explain(thrown).detail));
    const broken = Promise.race([
      failed,
      commands.lost.then(() => undefined),
      blocking.lost.then((why) => (commands.isLost ? undefined : why)),
    ]);
    return { reader, group: mine, blocking, broken };
  };

  const reading = new Link<Reading>(
    {
      far: `The group \`${group}\` of the stream \`${stream}\` (${farOf(options)})`,
      open,
      lost: (one) => one.broken,
      close: async ({ reader, blocking }) => {
        await reader.end();
        held.disconnect();
        blocking.drop('closed');
      },
      explain,
    },
    context,
  );

  try {
    await base.value.start();
    await reading.start({ patient: base.value.opened === undefined });
  } catch (thrown) {
    leave();
    await reading.close();
    await shared.release();
    await base.release();
    throw thrown;
  }

  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await reading.opened?.reader.end();
  };

  const close = once(async () => {
    await stop();
    while (running.size > 0) await Promise.all(running);
    await held.flush();
    // A name that nobody has again would stay behind for ever.
    if (options.consumer === undefined) await reading.opened?.group.leave().catch(() => undefined);
    leave();
    await reading.close();
    held.end();
    await shared.release();
    await base.release();
  });
  return {
    get ready() {
      return reading.opened !== undefined;
    },
    get trouble() {
      return troubleOf(base.value, reading);
    },
    stop,
    close,
  };
}

function timestampOf(id: string): string | undefined {
  const time = new Date(timeOf(id));
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
