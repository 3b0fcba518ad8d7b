import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { VirtualClock } from '../../../src/core/clock.ts';
import { failure } from '../../../src/errors.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import type { Store } from '../../../src/store/store.ts';
import { DyingStore, surviving } from '../../support/dying-store.ts';
import type { Call } from '../../support/engine.ts';
import { MemoryBroker, Mortal } from '../../support/memory-broker.ts';
import { recordingLog } from '../../support/plain-context.ts';
import { type Bench, flowOf, reload, startBench } from './support.ts';

const step = (name: string): string =>
  `- call: { endpoint: a, test: { path: "${name}" }, as: ${name}, idempotencyKey: "\${{ $uuid() }}" }`;

const yaml = flowOf(`${step('first')}\n${step('second')}`, 'durable: true\nredelivery: { maxAttempts: 3 }');

/** What happened outside: the far side does what has the same key once. */
class Outside {
  readonly effects: string[] = [];
  failing = 0;
  readonly #keys = new Set<unknown>();

  far({ operation, headers }: Call): { body: unknown } {
    const path = String(operation['path']);
    if (path === 'second' && this.failing-- > 0) throw failure('timeout', { endpoint: 'a', ms: 1 });
    const key = headers['idempotency-key'];
    if (!this.#keys.has(key)) this.effects.push(path);
    this.#keys.add(key);
    return { body: {} };
  }
}

async function quiet({ engine }: Bench): Promise<void> {
  for (let i = 0; i < 20; i++) await engine.clock.advance(60_000);
}

const freshStore = (): MemoryStore => new MemoryStore(new VirtualClock(), recordingLog());

async function journalOf(store: Store): Promise<readonly string[]> {
  return (await store.list('journal', { limit: 100 })).entries.map(({ key }) => key);
}

interface Crash {
  readonly at: number;
  readonly when: 'before' | 'after';
  readonly keys: boolean;
  readonly failing?: number;
}

/** One process that dies at a write, and the next one on the same store and broker. Yields whether the first has died. */
async function crash(
  t: TestContext,
  { at, when, keys, failing = 0 }: Crash,
): Promise<{ died: boolean; outside: Outside; broker: MemoryBroker; store: MemoryStore }> {
  const outside = new Outside();
  outside.failing = failing;
  const store = freshStore();
  const dying = new DyingStore(store, { at, when });
  const process = new Mortal();
  const broker = new MemoryBroker(new VirtualClock());
  const far = (call: Call): never | { body: unknown } =>
    dying.dead ? (new Promise(() => {}) as never) : outside.far(call);
  const first = await startBench(t, yaml, { store: dying, broker, keys, process, far });
  first.publish({ n: 1 });
  await quiet(first);
  const died = dying.dead;
  process.kill();
  const second = await startBench(t, yaml, { store, broker, keys, seed: 2, far: (call) => outside.far(call) });
  await quiet(second);
  return { died, outside, broker, store };
}

for (const keys of [true, false]) {
  describe(`a durable message ${keys ? 'with' : 'without'} a key`, () => {
    for (const failing of [0, 1, 5]) {
      for (const when of ['before', 'after'] as const) {
        test(`that fails ${failing} times, in a process that dies ${when} any write`, async (t) => {
          for (let at = 1; ; at++) {
            const { died, outside, broker, store } = await crash(t, { at, when, keys, failing });
            const where = `${when} write ${at}: ${outside.effects.join(', ')}`;
            assert.equal(broker.depth('work'), 0, `${where}: it was acknowledged`);
            assert.deepEqual(await journalOf(store), [], `${where}: its account is closed`);
            const letters = (await store.list('dead-letters', { limit: 10 })).entries.length;
            const seconds = outside.effects.filter((effect) => effect === 'second').length;
            const firsts = outside.effects.filter((effect) => effect === 'first').length;
            assert.ok(firsts >= 1, `${where}: it was done`);
            if (failing < 3) {
              assert.ok(seconds >= 1, `${where}: nothing is lost`);
              // Before it was acknowledged nobody can know it again without a key.
              if (keys || !died || at > 1) assert.equal(seconds, 1, `${where}: nothing is done twice`);
            } else assert.ok(letters >= 1 || seconds >= 1, `${where}: it is not lost`);
            if (!died) break;
            assert.ok(at < 60);
          }
        });
      }
    }
  });
}

test('a durable message that does not end before a reload gives it up goes on in the new version', async (t) => {
  let stuck = true;
  const bench = await startBench(t, yaml, {
    far: ({ operation }) => (stuck && operation['path'] === 'second' ? (new Promise(() => {}) as never) : { body: {} }),
  });
  const { engine, broker, publish, lines } = bench;
  publish(1);
  await engine.clock.advance(0);
  assert.deepEqual(engine.called, ['a first', 'a second']);
  await reload(t, engine, yaml.replace('maxAttempts: 3', 'maxAttempts: 4'));
  stuck = false;
  await quiet(bench);
  assert.deepEqual(engine.called, ['a first', 'a second', 'a second'], 'the first is not repeated');
  assert.equal(broker.depth('work'), 0);
  assert.deepEqual(lines('error'), []);
  assert.deepEqual(await journalOf(engine.store), []);
});

describe('a durable message that its source gives again to another version of its flow', () => {
  const changed = yaml.replaceAll('"second"', '"third"').replace('as: second', 'as: third');

  /** A process that dies at a write; the next one has another definition, the last one that of before. */
  async function reversed(t: TestContext, at: number) {
    const outside = new Outside();
    const store = surviving(freshStore());
    const dying = new DyingStore(store, { at, when: 'after' });
    const process = new Mortal();
    const broker = new MemoryBroker(new VirtualClock());
    const far = (call: Call): never | { body: unknown } =>
      dying.dead ? (new Promise(() => {}) as never) : outside.far(call);
    const first = await startBench(t, yaml, { store: dying, broker, keys: true, process, far });
    first.publish({ n: 1 });
    await quiet(first);
    process.kill();
    const letters = async () => (await store.list('dead-letters', { limit: 10 })).entries.length;
    const next = async (text: string, seed: number): Promise<Bench> => {
      const one = await startBench(t, text, { store, broker, keys: true, seed, far: (call) => outside.far(call) });
      await quiet(one);
      return one;
    };
    return { outside, store, broker, letters, next };
  }

  test('waits in the journal alone for the version it began with: it is no dead letter too', async (t) => {
    const { outside, store, broker, letters, next } = await reversed(t, 3);
    const other = await next(changed, 2);
    assert.equal(broker.depth('work'), 0, 'its source has not got it any more');
    assert.equal(await letters(), 0);
    assert.equal((await journalOf(store)).length > 0, true);
    assert.deepEqual(outside.effects, ['first']);
    assert.ok(other.lines('error').every((line) => /waits for the version of the definition/.test(line)));
    await other.engine.runtime?.stop(1000);
    await next(yaml, 3);
    assert.deepEqual(outside.effects, ['first', 'second'], 'it goes on where it was');
    assert.deepEqual(await journalOf(store), []);
    assert.equal(await letters(), 0);
  });

  test('of which nothing was done begins with the new one, and belongs to it', async (t) => {
    const { outside, store, broker, letters, next } = await reversed(t, 1);
    await next(changed, 2);
    assert.equal(broker.depth('work'), 0);
    assert.deepEqual(outside.effects, ['first', 'third']);
    assert.deepEqual(await journalOf(store), []);
    assert.equal(await letters(), 0);
  });

  test('that was begun anew by another version goes on with that one after the next crash', async (t) => {
    const { outside, store, broker, letters, next } = await reversed(t, 1);
    const dying = new DyingStore(store, { at: 4, when: 'after' });
    const process = new Mortal();
    const far = (call: Call): never | { body: unknown } =>
      dying.dead ? (new Promise(() => {}) as never) : outside.far(call);
    const second = await startBench(t, changed, { store: dying, broker, keys: true, process, seed: 2, far });
    await quiet(second);
    assert.equal(dying.dead, true);
    process.kill();
    await next(changed, 3);
    assert.deepEqual(outside.effects, ['first', 'third']);
    assert.deepEqual(await journalOf(store), []);
    assert.equal(await letters(), 0);
  });
});

describe('a durable message without a key', () => {
  test('is acknowledged as soon as it is in the journal', async (t) => {
    const { engine, broker, publish } = await startBench(t, yaml, {
      keys: false,
      far: () => new Promise(() => {}) as never,
    });
    publish(1);
    await engine.clock.advance(0);
    assert.equal(broker.depth('work'), 0);
    assert.equal(engine.calls.length, 1);
  });

  test('holds its place while it waits: no more are taken than are worked on', async (t) => {
    const { engine, broker, publish } = await startBench(t, yaml.replace('maxAttempts: 3', 'delay: 1h, maxDelay: 1h'), {
      keys: false,
      far: () => {
        throw failure('timeout', { endpoint: 'a', ms: 1 });
      },
    });
    publish(1);
    publish(2);
    await engine.clock.advance(1);
    assert.equal(broker.depth('work'), 1);
  });

  test('that waits when the process stops goes on with the next one, as the attempt it is', async (t) => {
    const store = surviving(freshStore());
    const broker = new MemoryBroker(new VirtualClock());
    const outside = new Outside();
    outside.failing = 1;
    const text = flowOf(
      `${step('first')}\n- call: { endpoint: a, test: { path: second, what: "\${{ $exchange.attempt }}" }, as: x }`,
      'durable: true\nredelivery: { delay: 1h, maxDelay: 1h }',
    );
    const first = await startBench(t, text, { store, broker, keys: false, far: (call) => outside.far(call) });
    first.publish(1);
    await first.engine.clock.advance(0);
    const stopped = first.engine.runtime?.stop(1000);
    await first.engine.clock.advance(2000);
    assert.equal(await stopped, 0, 'nothing was given up');
    const changed = text.replace('path: second', 'path: third');
    const second = await startBench(t, changed, {
      store: store,
      broker,
      keys: false,
      seed: 2,
      far: (call) => outside.far(call),
    });
    await quiet(second);
    assert.deepEqual(
      second.engine.calls.map(({ operation }) => [operation['path'], operation['what']]),
      [
        ['first', undefined],
        ['third', 2],
      ],
      'as nothing of it was done, it begins with the new version',
    );
    assert.deepEqual(await journalOf(store), []);
  });

  test('that waits when the definition is reloaded goes on with the new one', async (t) => {
    const outside = new Outside();
    outside.failing = 1;
    const bench = await startBench(t, yaml.replace('maxAttempts: 3', 'delay: 1h, maxDelay: 1h'), {
      keys: false,
      far: (call) => outside.far(call),
    });
    const { engine, publish } = bench;
    publish(1);
    await engine.clock.advance(0);
    await reload(t, engine, yaml);
    await quiet(bench);
    assert.deepEqual(engine.called, ['a first', 'a second', 'a first', 'a second']);
    assert.deepEqual(await journalOf(engine.store), []);
  });

  test('is not acknowledged, and not begun, while the journal cannot be written', async (t) => {
    const store = freshStore();
    let away = true;
    const flaky = new Proxy(store, {
      get: (target, name) => {
        if (name === 'write' && away) return () => Promise.reject(failure('store', { store: 'x', detail: 'away' }));
        const value = Reflect.get(target, name) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const bench = await startBench(t, yaml, { store: flaky, keys: false });
    const { engine, broker, publish, lines } = bench;
    publish(1);
    await engine.clock.advance(120_000);
    assert.equal(broker.unacknowledged('work'), 1);
    assert.deepEqual(engine.called, []);
    assert.deepEqual(lines('error'), ['the journal cannot be written: messages wait']);
    away = false;
    await quiet(bench);
    assert.equal(broker.depth('work'), 0);
    assert.deepEqual(engine.called, ['a first', 'a second']);
    assert.deepEqual(await journalOf(store), []);
  });

  test('that kills every process is moved to the dead letters in the end', async (t) => {
    const store = freshStore();
    const broker = new MemoryBroker(new VirtualClock());
    let begun = 0;
    for (let i = 0; i < 10; i++) {
      const process = new Mortal();
      const one = await startBench(t, yaml, {
        store: new DyingStore(store, { at: 1000, when: 'before' }),
        broker,
        keys: false,
        process,
        seed: i + 1,
        far: () => {
          begun++;
          return new Promise(() => {}) as never;
        },
      });
      if (i === 0) one.publish(1);
      await one.engine.clock.advance(0);
      process.kill();
    }
    assert.equal(begun, 3, 'once, and twice taken up again');
    assert.deepEqual(await journalOf(store), []);
    assert.equal((await store.list('dead-letters', { limit: 10 })).entries.length > 0, true);
  });
});
