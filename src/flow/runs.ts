import { createHash } from 'node:crypto';
import type { Body } from '../core/body.ts';
import type { Exchange, Services } from '../core/exchange.ts';
import { failure } from '../errors.ts';
import type { Entry, Store, Write } from '../store/store.ts';
import { limits } from '../store/store.ts';
import { type Account, MessageJournal } from './journal.ts';
import type { Ownership } from './ownership.ts';
import type { FlowProgram, Program } from './program.ts';
import { readStart, type StartRecord, writeStart } from './records.ts';

const space = 'journal';

/** The first key of a run: what came in. Sorts before all places, which begin with `#`, `(`, `/`, `:` or `[`. */
const startKey = '!';

/** A durable message while it is under way. */
export interface Run {
  readonly journal: MessageJournal;
  /** It has ended: its account is not needed any more. */
  end(): Promise<void>;
}

/** One that a process left behind. */
export interface LeftRun extends Run {
  readonly record: StartRecord;
  readonly body: Body;
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
    const working = work().finally(() => this.#underWay.delete(id));
    this.#underWay.set(id, working);
    return working;
  }

  /** Keeps what came in; from here on the message is not lost. */
  async begin(record: Omit<StartRecord, 'contentType'>, body: Body): Promise<Run> {
    const { codec } = this.#services;
    const bytes = await body.bytes(codec);
    const account = this.#account(this.#ownership.me, record.id, new Set());
    const begun = await account.start(writeStart({ ...record, contentType: body.wireType(codec) }, bytes));
    if (!begun) throw failure('interrupted', { flow: record.flow });
    return { journal: new MessageJournal(record.id, account), end: () => account.end() };
  }

  /** Messages that were under way when a process ended: ours of before, and those of processes that fell silent. */
  async leftBehind(): Promise<readonly LeftRun[]> {
    const left: LeftRun[] = [];
    for (const owner of await this.#owners()) {
      if (await this.#ownership.has(owner)) left.push(...(await this.#leftBy(owner)));
    }
    return left;
  }

  #account(owner: string, id: string, keys: Set<string>): Account & { start: typeof start; end: typeof end } {
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
    const end = async (): Promise<void> => {
      const all = [...keys].sort((a, b) => Number(b === startKey) - Number(a === startKey));
      for (let i = 0; i < all.length; i += limits.batch) {
        await this.#store.write(
          all.slice(i, i + limits.batch).map((key): Write => ({ op: 'delete', space, key: prefix + key })),
        );
      }
    };
    return { put, start, end };
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
    const byId = new Map<string, Map<string, Uint8Array>>();
    for await (const { key, value } of this.#entries(`${owner} `)) {
      const [, id = '', ...place] = key.split(' ');
      const entries = byId.get(id) ?? new Map<string, Uint8Array>();
      byId.set(id, entries.set(place.join(' '), value));
    }
    const left: LeftRun[] = [];
    for (const [id, entries] of byId) {
      if (this.#underWay.has(id)) continue;
      const account = this.#account(owner, id, new Set(entries.keys()));
      const start = entries.get(startKey);
      if (start)
        left.push({ ...readStart(start), journal: new MessageJournal(id, account, entries), end: () => account.end() });
      else await account.end();
    }
    return left;
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

/** What a flow is, apart from its outside: a message goes on only with the definition it began with. */
export function hashOf(flow: FlowProgram, program: Program): string {
  const subFlows = Object.values(program.source.flows).filter((one) => !one.from);
  return createHash('sha256')
    .update(JSON.stringify([flow.source, subFlows]))
    .digest('base64url');
}
