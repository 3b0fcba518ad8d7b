import type { Argument, Connection } from './connection.ts';
import { type Entry, entriesOf } from './entries.ts';
import { Refused, replyOf } from './trouble.ts';

export interface Place {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
}

/** An entry that was handed out before, and how often, this time included. */
export interface Claimed extends Entry {
  readonly count: number;
}

/** The group of a stream, and what its members have not acknowledged. */
export class Group {
  readonly #connection: Connection;
  readonly #place: Place;

  constructor(connection: Connection, place: Place) {
    this.#connection = connection;
    this.#place = place;
  }

  /** Makes it where it is missing, to begin behind `start`. */
  async ensure(start: string): Promise<void> {
    const { stream, group } = this.#place;
    const role = await this.#connection.command('ROLE').catch(() => undefined);
    if (Array.isArray(role) && String(role[0]) === 'slave') {
      throw new Refused('the server is a replica: name the primary in `url`');
    }
    try {
      await this.#connection.command('XGROUP', 'CREATE', stream, group, start, 'MKSTREAM');
    } catch (thrown) {
      if (replyOf(thrown) !== 'BUSYGROUP') throw thrown;
    }
  }

  /** What this member had: of the ids behind `after` those that `wanted` says, at most `count` looked at. */
  async own(
    after: string,
    count: number,
    wanted: (id: string) => boolean,
  ): Promise<{ readonly entries: readonly Claimed[]; readonly last: string | undefined }> {
    const { stream, group, consumer } = this.#place;
    const from = after === '' ? '-' : `(${after}`;
    const pending = pendingOf(
      await this.#connection.command('XPENDING', stream, group, from, '+', String(count), consumer),
    );
    const ids = pending.filter((one) => wanted(one.id));
    const last = pending.length < count ? undefined : pending.at(-1)?.id;
    if (ids.length === 0) return { entries: [], last };
    const claimed = await this.#connection.command('XCLAIM', stream, group, consumer, '0', ...ids.map((one) => one.id));
    const counts = new Map(ids.map((one) => [one.id, one.count + 1]));
    return { entries: entriesOf(claimed).map((one) => ({ ...one, count: counts.get(one.id) ?? 2 })), last };
  }

  /** What others have had for so long that they are taken for dead; `cursor` goes on where the last look ended. */
  async abandoned(
    idle: number,
    count: number,
    cursor: string,
  ): Promise<{ readonly entries: readonly Claimed[]; readonly cursor: string; readonly trimmed: number }> {
    const { stream, group, consumer } = this.#place;
    const reply = await this.#connection.command(
      ...['XAUTOCLAIM', stream, group, consumer, String(idle), cursor, 'COUNT', String(count)],
    );
    const [next, claimed, gone] = Array.isArray(reply) ? (reply as readonly unknown[]) : [];
    const found = entriesOf(claimed);
    const trimmed = Array.isArray(gone) ? gone.length : 0;
    const counts = found.length === 0 ? new Map<string, number>() : await this.#counts(found);
    const entries = found.map((one) => ({ ...one, count: counts.get(one.id) ?? 2 }));
    return { entries, cursor: String(next ?? '0-0'), trimmed };
  }

  async #counts(entries: readonly Entry[]): Promise<ReadonlyMap<string, number>> {
    const { stream, group, consumer } = this.#place;
    // The first and the last of them; between them may be others that this member has.
    const counts = new Map<string, number>();
    for (const { id } of entries) counts.set(id, 2);
    const replies = await Promise.all(
      entries.map(({ id }) => this.#connection.command('XPENDING', stream, group, id, id, '1', consumer)),
    );
    for (const one of replies.flatMap(pendingOf)) counts.set(one.id, one.count);
    return counts;
  }

  async acknowledge(ids: readonly string[]): Promise<void> {
    const { stream, group } = this.#place;
    await this.#connection.command('XACK', stream, group, ...ids);
  }

  /** They are worked on: nobody else may take them. */
  async keep(ids: readonly string[]): Promise<void> {
    const { stream, group, consumer } = this.#place;
    if (ids.length === 0) return;
    await this.#connection.command('XCLAIM', stream, group, consumer, '0', ...ids, 'JUSTID');
  }

  /** It is for whoever comes first, at once, and this time does not count. */
  async release(id: string, count: number): Promise<void> {
    const { stream, group, consumer } = this.#place;
    const free: readonly Argument[] = ['IDLE', String(freeMs), 'RETRYCOUNT', String(count - 1), 'JUSTID'];
    await this.#connection.command('XCLAIM', stream, group, consumer, '0', id, ...free);
  }

  /** Removes this member, unless something is still with it. */
  async leave(consumer = this.#place.consumer): Promise<void> {
    const { stream, group } = this.#place;
    await this.#connection.command('EVAL', leaveScript, '1', stream, group, consumer);
  }

  /** Removes members with names that nobody has again, when they are gone for so long and nothing is with them. */
  async tidy(goneFor = 3_600_000): Promise<void> {
    const { stream, group } = this.#place;
    const reply = await this.#connection.command('XINFO', 'CONSUMERS', stream, group);
    const members = Array.isArray(reply) ? (reply as readonly (readonly unknown[])[]).map(memberOf) : [];
    for (const { name, pending, idle } of members) {
      if (uniqueName.test(name) && pending === 0 && idle >= goneFor) await this.leave(name);
    }
  }
}

const uniqueName = /-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** `[name, text, pending, number, idle, number, …]` */
function memberOf(reply: readonly unknown[]): {
  readonly name: string;
  readonly pending: number;
  readonly idle: number;
} {
  const fieldOf = (field: string): unknown => reply[reply.findIndex((one) => String(one) === field) + 1];
  return { name: String(fieldOf('name')), pending: Number(fieldOf('pending')), idle: Number(fieldOf('idle')) };
}

/** Longer than anybody waits before taking what others had. */
const freeMs = 30 * 24 * 3_600_000;

/** Removing a member removes what it has, too: both looks must be one. */
const leaveScript = `
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
end`;

/** `[[id, member, idle, count], …]` */
function pendingOf(reply: unknown): readonly { readonly id: string; readonly count: number }[] {
  if (!Array.isArray(reply)) return [];
  return (reply as readonly (readonly unknown[])[]).map(([id, , , count]) => ({
    id: String(id),
    count: Number(count),
  }));
}
