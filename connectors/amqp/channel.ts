import type { Channel, ChannelModel } from 'amqplib';
import { atMost, Link, type LinkWorld } from '#sdk';
import type { Connection, OpenConnection } from './connection.ts';
import { goodbyeMs } from './goodbye.ts';
import { type BrokerTrouble, lostTrouble } from './trouble.ts';

/** An open channel, and what becomes of it. */
export interface OpenChannel<C extends Channel> {
  readonly channel: C;
  /** Resolves when it is gone, with why. */
  readonly lost: Promise<string>;
  /** Why it is gone. */
  readonly why: () => BrokerTrouble;
  /** It is of no more use (its consumer was cancelled): it is closed, and another one opened. */
  readonly giveUp: (detail: string) => void;
}

/** Opens a channel: `watched` is to be called with it at once, for an error that nobody listens for ends the process. */
export type MakeChannel<C extends Channel> = (
  model: ChannelModel,
  watched: (channel: C) => OpenChannel<C>,
  /** To be told what the broker is asked next, in words. */
  asking: (what: string) => void,
) => Promise<void>;

/** A broker that has not answered for so long is said to be silent. It is waited for all the same: only it can end that. */
const silentMs = 5_000;

export interface ChannelPlan<C extends Channel> {
  /** What needs it, in words. */
  readonly what: string;
  readonly make: MakeChannel<C>;
  readonly explain?: (trouble: BrokerTrouble) => BrokerTrouble;
}

/** A channel that is opened again whenever it is lost, alone or with its connection. */
export function channelOn<C extends Channel>(
  connection: Connection,
  { what, make, explain = (trouble) => trouble }: ChannelPlan<C>,
  world: LinkWorld,
): Link<OpenChannel<C>> {
  const open = async (signal: AbortSignal, waits: (detail: string) => void): Promise<OpenChannel<C>> => {
    const opened = await whenUp(connection.link, signal);
    let held: OpenChannel<C> | undefined;
    let answered = (): void => {};
    const asking = (asked: string): void => {
      answered();
      answered = world.clock.after(silentMs, () => waits(`it does not answer, and is waited for: ${asked}`), true);
    };
    try {
      const watch = (channel: C): OpenChannel<C> => {
        held = watched(channel, opened);
        return held;
      };
      await make(opened.model, watch, asking);
    } catch (thrown) {
      const why = held?.why();
      await held?.channel.close().catch(() => undefined);
      throw why?.code === undefined ? thrown : new Refused(why);
    } finally {
      answered();
    }
    if (!held) throw new Error('no channel was made');
    return held;
  };
  return new Link(
    {
      far: `${what} (${connection.far})`,
      open,
      lost: ({ lost }) => lost,
      // Waits for the answer: what was written before has arrived by then.
      close: ({ channel }) =>
        atMost(
          world.clock,
          goodbyeMs,
          channel.close().catch(() => undefined),
        ),
      explain: (thrown) => explain(thrown instanceof Refused ? thrown.trouble : lostTrouble(thrown)),
    },
    world,
  );
}

/**
 * Resolves after the first attempt, open or not; rejects when waiting would not heal what is wrong. A broker that nobody
 * reaches says nothing about the channel.
 */
export async function startChannel(connection: Connection, channel: Pick<Link<never>, 'start'>): Promise<void> {
  await connection.link.start();
  await channel.start({ patient: connection.link.opened === undefined });
}

type Standing = Pick<Link<never>, 'trouble'> & { readonly opened: unknown };

/** Why a channel is not open: a broker that is not reached says nothing about it. */
export const troubleOf = (connection: Standing, channel: Standing): string =>
  connection.opened === undefined ? connection.trouble : channel.trouble;

class Refused extends Error {
  readonly trouble: BrokerTrouble;

  constructor(trouble: BrokerTrouble) {
    super(trouble.detail);
    this.trouble = trouble;
  }
}

function whenUp<T>(link: Link<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = link.onUp((opened) => {
      resolve(opened);
      // It may be called before there is anything to leave.
      queueMicrotask(() => leave());
    });
    const end = (): void => {
      stop();
      reject(signal.reason);
    };
    const leave = (): void => {
      stop();
      signal.removeEventListener('abort', end);
    };
    signal.addEventListener('abort', end, { once: true });
  });
}

function watched<C extends Channel>(channel: C, connection: OpenConnection): OpenChannel<C> {
  let trouble: BrokerTrouble | undefined;
  let end: (why: string) => void = () => {};
  const lost = new Promise<string>((resolve) => {
    end = resolve;
  });
  const why = (): BrokerTrouble => trouble ?? { detail: connection.why() };
  channel.on('error', (error) => {
    trouble ??= lostTrouble(error);
  });
  channel.on('close', () => {
    if (trouble) end(trouble.detail);
    else void connection.lost.then(end);
  });
  const giveUp = (detail: string): void => {
    trouble ??= { detail };
    end(detail);
  };
  return { channel, lost, why, giveUp };
}
