/** Random commands against a store and against a map that is too simple to be wrong. */
import assert from 'node:assert/strict';
import type { VirtualClock } from '../../../src/core/clock.ts';
import type { Random } from '../../../src/core/random.ts';
import type { Store, Write, Written } from '../../../src/store/store.ts';
import { between, type Command, pick, type Trial, tryCommands } from '../../support/commands.ts';
import { bytes, text } from './subject.ts';

interface Known {
  readonly value: string;
  readonly version: number;
  readonly expires: number;
}

export interface ModelSubject {
  readonly open: () => Promise<Store>;
  /** With it time passes, and is compared to the millisecond. */
  readonly clock?: VirtualClock;
  /** Whether closing and opening keeps everything. */
  readonly survives: boolean;
  /** Writes that are not awaited are done in the order in which they were called. */
  readonly ordered: boolean;
}

/** Each trial on a subject of its own. */
export async function tryStore(
  subject: () => ModelSubject,
  extent: { readonly trials: number; readonly length: number },
): Promise<void> {
  const open: StoreModel[] = [];
  try {
    await tryCommands(() => {
      const model = new StoreModel(subject());
      open.push(model);
      return model;
    }, extent);
  } finally {
    await Promise.all(open.map((model) => model.close()));
  }
}

const spaces = ['s', 't'] as const;
const keys = ['a', 'a/1', 'a/2', 'b', 'é', '\uffee', '\u{1f600}'] as const;

class StoreModel implements Trial {
  readonly #subject: ModelSubject;
  readonly #known = new Map<string, Known>();
  #store: Promise<Store>;
  #version = 0;

  constructor(subject: ModelSubject) {
    this.#subject = subject;
    this.#store = subject.open();
  }

  next(random: Random): Command {
    const { clock, survives, ordered } = this.#subject;
    const dice = random.next();
    if (dice < 0.45) return this.#write(this.#batch(random));
    if (dice < 0.55 && ordered)
      return this.#writeTogether([this.#batch(random), this.#batch(random), this.#batch(random)]);
    if (dice < 0.7) return this.#get(pick(random, spaces), pick(random, keys));
    if (dice < 0.85) return this.#list(random);
    if (dice < 0.95 && clock) return this.#advance(clock, pick(random, [1, 10, 100, 1000, 5000]));
    if (dice > 0.97 && survives) return { name: 'reopen', run: () => this.#reopen() };
    return this.#get(pick(random, spaces), pick(random, keys));
  }

  check(): void {}

  async close(): Promise<void> {
    await (await this.#store).close();
  }

  get #now(): number {
    return this.#subject.clock?.monotonic() ?? 0;
  }

  #live(space: string, key: string): Known | undefined {
    const known = this.#known.get(`${space}\0${key}`);
    return known && known.expires > this.#now ? known : undefined;
  }

  /** One to four items; four of five conditions are right, the others mostly wrong. */
  #batch(random: Random): readonly Write[] {
    const places = spaces.flatMap((space) => keys.map((key) => ({ space, key })));
    const count = between(random, 1, 4);
    return Array.from({ length: count }, () => {
      const [at] = places.splice(between(random, 0, places.length - 1), 1);
      assert.ok(at);
      const seen = this.#live(at.space, at.key)?.version;
      const right = seen ?? ('absent' as const);
      const when = random.next() < 0.8 ? right : pick(random, ['absent', this.#version + 1] as const);
      // Where no time passes nothing may expire by itself.
      const unit = this.#subject.clock ? 1 : 1_000_000;
      const ttl = random.next() < 0.4 ? between(random, 1, 3000) * unit : undefined;
      const dice = random.next();
      if (dice < 0.55) {
        const value = bytes('x'.repeat(between(random, 0, 20)));
        return { op: 'put', ...at, value, ttl, when: random.next() < 0.5 ? when : undefined } as const;
      }
      if (dice < 0.8)
        return { op: 'delete', ...at, when: seen !== undefined && random.next() < 0.5 ? seen : undefined };
      return { op: 'check', ...at, when, ttl: when === 'absent' ? undefined : ttl } as const;
    });
  }

  #write(batch: readonly Write[]): Command {
    return { name: describe(batch), run: async () => this.#written(batch, await (await this.#store).write(batch)) };
  }

  #writeTogether(batches: readonly (readonly Write[])[]): Command {
    return {
      name: `together: ${batches.map(describe).join(' | ')}`,
      run: async () => {
        const store = await this.#store;
        const results = await Promise.all(batches.map((batch) => store.write(batch)));
        for (const [index, batch] of batches.entries()) {
          const result = results[index];
          assert.ok(result);
          this.#written(batch, result);
        }
      },
    };
  }

  #written(batch: readonly Write[], result: Written): void {
    const conflict = batch.findIndex(({ space, key, when }) => {
      const version = this.#live(space, key)?.version;
      return when !== undefined && when !== (version ?? 'absent');
    });
    if (conflict >= 0) {
      assert.deepEqual(result, { written: false, conflict });
      return;
    }
    assert.ok(result.written, 'every condition holds');
    assert.ok(result.version > this.#version, `version ${result.version} behind ${this.#version}`);
    this.#version = result.version;
    for (const write of batch) {
      const at = `${write.space}\0${write.key}`;
      const old = this.#known.get(at);
      if (write.op === 'delete') {
        this.#known.delete(at);
        continue;
      }
      const expires = write.ttl === undefined ? Number.POSITIVE_INFINITY : this.#now + write.ttl;
      if (write.op === 'put') this.#known.set(at, { value: text(write.value), version: result.version, expires });
      else if (old && write.ttl !== undefined) this.#known.set(at, { ...old, expires });
    }
  }

  #get(space: string, key: string): Command {
    return {
      name: `get ${space}:${key}`,
      run: async () => {
        const entry = await (await this.#store).get(space, key);
        assert.deepEqual(entry && this.#shown(entry), this.#expected(space, key));
      },
    };
  }

  #list(random: Random): Command {
    const space = pick(random, spaces);
    const prefix = pick(random, ['', 'a', 'a/', '\u{1f600}']);
    const after = random.next() < 0.4 ? pick(random, keys) : undefined;
    const limit = between(random, 1, 8);
    return {
      name: `list ${space} prefix ${prefix} after ${after} limit ${limit}`,
      run: async () => {
        const store = await this.#store;
        const found: unknown[] = [];
        let next: string | undefined = after;
        do {
          const page = await store.list(space, { prefix, after: next, limit });
          assert.ok(page.entries.length <= limit);
          found.push(...page.entries.map((entry) => this.#shown(entry)));
          next = page.next;
        } while (next !== undefined);
        const order = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
        const expected = keys
          .toSorted(order)
          .filter((key) => key.startsWith(prefix) && (after === undefined || order(key, after) > 0))
          .flatMap((key) => this.#expected(space, key) ?? []);
        assert.deepEqual(found, expected);
      },
    };
  }

  #expected(space: string, key: string): unknown {
    const known = this.#live(space, key);
    if (!known) return undefined;
    const { value, version, expires } = known;
    const ttl = expires === Number.POSITIVE_INFINITY ? undefined : expires - this.#now;
    return { key, value, version, ttl: this.#subject.clock ? ttl : ttl !== undefined };
  }

  #shown({ key, value, version, ttl }: { key: string; value: Uint8Array; version: number; ttl: number | undefined }) {
    return { key, value: text(value), version, ttl: this.#subject.clock ? ttl : ttl !== undefined };
  }

  #advance(clock: VirtualClock, ms: number): Command {
    return { name: `${ms} ms pass`, run: () => clock.advance(ms) };
  }

  async #reopen(): Promise<void> {
    await (await this.#store).close();
    this.#store = this.#subject.open();
    await this.#store;
  }
}

const describe = (batch: readonly Write[]): string =>
  batch
    .map(({ op, space, key, when, ...rest }) => {
      const ttl = 'ttl' in rest && rest.ttl !== undefined ? ` ttl ${rest.ttl}` : '';
      return `${op} ${space}:${key}${when === undefined ? '' : ` when ${when}`}${ttl}`;
    })
    .join(', ');
