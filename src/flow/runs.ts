import { createHash } from 'node:crypto';
import type { Body } from '../core/body.ts';
import type { Exchange, Services } from '../core/exchange.ts';
import { keptBody } from '../core/record.ts';
import { failure } from '../errors.ts';
import type { Entry, Store, Write } from '../store/store.ts';
import { limits } from '../store/store.ts';
import { type Account, MessageJournal } from './journal.ts';
import type { Ownership } from './ownership.ts';
import type { FlowProgram, Program } from './program.ts';
import { readStart, type StartRecord, writeStart } from './records.ts';

const space = 'journal';
/** Messages that were done, by the id that their key gives: their source may not know yet. */
const doneSpace = 'journal-done';
/** How long a message that was done is known, should its source give it again. Milliseconds. */
const doneMs = 24 * 3_600_000;

/** The first key of a run: what came in. Sorts before all places, which begin with `#`, `(`, `/`, `:` or `[`. */
const startKey = '!';

/** A durable message while it is under way. */
export interface Run {
  readonly record: StartRecord;
  readonly body: Body;
  readonly journal: MessageJournal;
  /** It has ended: its account is not needed any more. `done`: well, and its source may give it again. */
  end(done?: boolean): Promise<void>;
  /** It was ended from outside: that it is taken up again counts for nothing. */
  parked(): Promise<void>;
  /** What it did was undone, or was nothing: it begins again, with an empty account. It is another run from then on. */
  again(attempt: number): Promise<Run>;
}

/** One that a process left behind. */
export interface LeftRun extends Run {
  /** Nothing was done yet: it may begin with any version of its flow. */
  readonly fresh: boolean;
  /** Writes down that it is taken up again. */
  resumed(): Promise<void>;
  /** Nothing of it was done: it begins with this version. */
  adopted(hash: string): Promise<LeftRun>;
  /** Its source is told that it is done: the journal alone has it from now on. */
  owned(): Promise<void>;
}

/**
 * The durable messages of a running integration: each has an account in the store from before it starts until after it
 * has ended.
 */
export class Runs {
  readonly #store: Store;
  readonly #services: Pick<Services, 'clock' | 'random' | 'log' | 'codec'>;
  readonly #ownership: Ownership;
  readonly #underWay = new Map<string, Promise<Exchange | undefined>>();
  /** For each look at what was left behind: which messages have been under way meanwhile, and what it read of them is old. */
  readonly #looking = new Set<Set<string>>();

  constructor(store: Store, ownership: Ownership, services: Pick<Services, 'clock' | 'random' | 'log' | 'codec'>) {
    this.#store = store;
    this.#services = services;
    this.#ownership = ownership;
  }

  /** The id of a message that its source gives again under the same key when it was not acknowledged. */
  idFor(flow: string, key: string): string {
    return createHash('sha256').update(`${flow} ${key}`).digest('hex').slice(0, 32);
  }

  /** Does `work` for a message unless it is under way already: then both await the same. */
  once(id: string, work: () => Promise<Exchange | undefined>): Promise<Exchange | undefined> {
    const known = this.#underWay.get(id);
    if (known) return known;
    for (const seen of this.#looking) seen.add(id);
    const working = work().finally(() => this.#underWay.delete(id));
    this.#underWay.set(id, working);
    return working;
  }

  /**
   * Keeps what came in; from here on the message is not lost. `undefined`, where it `mayWait`: it was cut off before, with
   * another version of its flow, and waits for that one; the journal alone has it.
   */
  async begin(record: Omit<StartRecord, 'contentType'>, body: Body, mayWait = false): Promise<Run | undefined> {
    const { codec } = this.#services;
    const bytes = await body.bytes(codec);
    const account = this.#account(this.#ownership.me, record.id, new Set());
    const start = { ...record, contentType: body.wireType(codec) };
    const begun = await account.start(writeStart(start, bytes));
    if (!begun) return this.#goOn(start, mayWait);
    return this.#run(this.#ownership.me, record.id, start, keptBody(asBytes(bytes), start.contentType), account);
  }

  /** The message was cut off before, and its account is here: whoever gives it again goes on with that. */
  async #goOn({ id, flow, hash }: StartRecord, mayWait: boolean): Promise<Run | undefined> {
    const owner = this.#ownership.me;
    const entries = new Map<string, Uint8Array>();
    const prefix = `${owner} ${id} `;
    for await (const { key, value } of this.#entries(prefix)) entries.set(key.slice(prefix.length), value);
    const start = entries.get(startKey);
    if (!start) throw failure('interrupted', { flow });
    const left = this.#left(owner, id, start, this.#account(owner, id, new Set(entries.keys())), entries);
    if (left.record.hash === hash) return left;
    if (left.fresh) return left.adopted(hash);
    if (!mayWait) throw failure('interrupted', { flow });
    await left.owned();
    return undefined;
  }

  /** Whether a message was done, though its source gives it again. */
  async isDone(id: string): Promise<boolean> {
    return (await this.#store.get(doneSpace, id)) !== undefined;
  }

  #run(owner: string, id: string, record: StartRecord, body: Body, account: Owned, left?: Left): Run {
    return {
      record,
      body,
      journal: new MessageJournal(id, account, left),
      end: (done = false) => account.end(done ? record.id : undefined),
      parked: () => this.#rewrite(account, { ...record, resumed: 0 }, body),
      again: (attempt) => this.#again(owner, record, body, account, attempt),
    };
  }

  /** The new start and the end of the old one are one write: at any moment there is exactly one of them. */
  async #again(owner: string, record: StartRecord, body: Body, account: Owned, attempt: number): Promise<Run> {
    const round = (record.round ?? 0) + 1;
    const id = `${record.id}${separator}${round}`;
    const next: StartRecord = { ...record, origin: { ...record.origin, attempt }, round, resumed: 0 };
    const value = writeStart(next, await body.bytes(this.#services.codec));
    const fence = this.#ownership.fence(owner);
    const put: Write = { op: 'put', space, key: `${owner} ${id} ${startKey}`, value };
    const written = await this.#store.write([...fence, put, account.leave]);
    if (!written.written) throw failure('suspended');
    // Only litter by now.
    await account.end();
    return this.#run(owner, id, next, body, this.#account(owner, id, new Set([startKey])));
  }

  /** Messages that were under way when a process ended: ours of before, and those of processes that fell silent. */
  async leftBehind(): Promise<readonly LeftRun[]> {
    const left: LeftRun[] = [];
    for (const owner of await this.#owners()) {
      if (await this.#ownership.has(owner)) left.push(...(await this.#leftBy(owner)));
    }
    return left;
  }

  #account(owner: string, id: string, keys: Set<string>): Owned {
    const prefix = `${owner} ${id} `;
    const put = async (key: string, value: Uint8Array): Promise<void> => {
      keys.add(key);
      const fence = this.#ownership.fence(owner);
      const written = await this.#store.write([...fence, { op: 'put', space, key: prefix + key, value }]);
      if (!written.written) throw failure('suspended');
    };
    const start = async (value: Uint8Array): Promise<boolean> => {
      keys.add(startKey);
      const fence = this.#ownership.fence(owner);
      const key = prefix + startKey;
      const written = await this.#store.write([...fence, { op: 'put', space, key, value, when: 'absent' }]);
      if (!written.written && written.conflict < fence.length) throw failure('suspended');
      return written.written;
    };
    // The start goes first: without it the rest is only litter.
    const end = async (done?: string): Promise<void> => {
      const known: readonly Write[] =
        done === undefined ? [] : [{ op: 'put', space: doneSpace, key: done, value: new Uint8Array(0), ttl: doneMs }];
      const all = [...keys].sort((a, b) => Number(b === startKey) - Number(a === startKey));
      const writes = [...known, ...all.map((key): Write => ({ op: 'delete', space, key: prefix + key }))];
      for (let i = 0; i < writes.length; i += limits.batch) await this.#store.write(writes.slice(i, i + limits.batch));
    };
    return { put, start, end, leave: { op: 'delete', space, key: prefix + startKey } };
  }

  /** Names of all owners that have messages. */
  async #owners(): Promise<readonly string[]> {
    const owners = new Set<string>();
    let after: string | undefined;
    do {
      const { entries, next } = await this.#store.list(space, { after, limit: 1 });
      const owner = entries[0]?.key.split(' ', 1)[0];
      if (owner !== undefined) owners.add(owner);
      // All other keys of this owner are skipped.
      after = owner === undefined ? next : `${owner} \u{10ffff}`;
    } while (after !== undefined);
    return [...owners];
  }

  async #leftBy(owner: string): Promise<readonly LeftRun[]> {
    const seen = new Set(this.#underWay.keys());
    this.#looking.add(seen);
    try {
      return await this.#leftUnseen(owner, seen);
    } finally {
      this.#looking.delete(seen);
    }
  }

  async #leftUnseen(owner: string, seen: ReadonlySet<string>): Promise<readonly LeftRun[]> {
    const byId = new Map<string, Map<string, Uint8Array>>();
    for await (const { key, value } of this.#entries(`${owner} `)) {
      const [, id = '', ...place] = key.split(' ');
      const entries = byId.get(id) ?? new Map<string, Uint8Array>();
      byId.set(id, entries.set(place.join(' '), value));
    }
    const left: LeftRun[] = [];
    for (const [id, entries] of byId) {
      if (seen.has(baseOf(id))) continue;
      const account = this.#account(owner, id, new Set(entries.keys()));
      const start = entries.get(startKey);
      if (start) left.push(this.#left(owner, id, start, account, entries));
      else await account.end();
    }
    return left;
  }

  async #rewrite(account: Owned, record: StartRecord, body: Body): Promise<void> {
    await account.put(startKey, writeStart(record, await body.bytes(this.#services.codec)));
  }

  #left(owner: string, id: string, start: Uint8Array, account: Owned, entries: Left): LeftRun {
    const { record, body } = readStart(start);
    const left = (changed: StartRecord): LeftRun => ({
      ...this.#run(owner, id, changed, body, account, entries),
      fresh: entries.size === 1,
      resumed: () => this.#rewrite(account, { ...changed, resumed: (changed.resumed ?? 0) + 1 }, body),
      adopted: async (hash) => {
        const adopted = { ...changed, hash };
        await this.#rewrite(account, adopted, body);
        return left(adopted);
      },
      owned: () => this.#rewrite(account, { ...changed, owned: true }, body),
    });
    return left(record);
  }

  async *#entries(prefix: string): AsyncGenerator<Entry> {
    let after: string | undefined;
    do {
      const page = await this.#store.list(space, { prefix, after, limit: limits.page });
      yield* page.entries;
      after = page.next;
    } while (after !== undefined);
  }
}

type Left = ReadonlyMap<string, Uint8Array>;

/** The account of a message, with its beginning and its end. */
interface Owned extends Account {
  start(value: Uint8Array): Promise<boolean>;
  /** `done`: the id that is remembered. */
  end(done?: string): Promise<void>;
  /** Ends it within a batch of others; what else is in it is litter then. */
  readonly leave: Write;
}

/** Between the id of a message and its round, in the name of an account. */
const separator = '~';

const baseOf = (id: string): string => id.split(separator, 1)[0] ?? id;

const asBytes = (bytes: Uint8Array | string): Uint8Array => (typeof bytes === 'string' ? Buffer.from(bytes) : bytes);

/** What a flow is, apart from its outside: a message goes on only with the definition it began with. */
export function hashOf(flow: FlowProgram, program: Program): string {
  const subFlows = Object.values(program.source.flows).filter((one) => !one.from);
  // How its messages are delivered changes nothing in what it does.
  const { concurrency: _, orderBy: _by, redelivery: _again, deadLetter: _dead, ...source } = flow.source;
  return createHash('sha256')
    .update(JSON.stringify([source, subFlows]))
    .digest('base64url');
}
