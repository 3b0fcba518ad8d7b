import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { failure } from '../../src/errors.ts';
import { MemoryStore } from '../../src/store/memory.ts';
import { DyingStore } from '../support/dying-store.ts';
import { type Call, Engine, mainFlow, startEngine } from '../support/engine.ts';

/** What really happened outside, whoever did it: calls that changed something, in order. */
class Outside {
  readonly effects: string[] = [];
  readonly failing: ReadonlySet<string>;
  #next = 1;

  constructor(failing: readonly string[] = []) {
    this.failing = new Set(failing);
  }

  call({ operation, headers }: Call): { body: unknown } {
    const path = String(operation['path']);
    if (path.startsWith('get')) return { body: { id: 0 } };
    if (this.failing.has(path)) throw failure('validation', { detail: `no ${path}` });
    const key = headers['idempotency-key'];
    // A service that knows keys does it once.
    const effect = key === undefined ? path : `${path} ${key}`;
    if (key === undefined || !this.effects.includes(effect)) this.effects.push(effect);
    return { body: { id: this.#next++ } };
  }
}

const step = (name: string, more = ''): string =>
  `- call: { endpoint: a, test: { path: "${name}" }, as: ${name}, compensate: [ { call: { endpoint: a, test: { path: "undo-${name}" }, idempotent: true } } ]${more} }`;

interface Scenario {
  readonly title: string;
  readonly yaml: string;
  readonly failing?: readonly string[];
  /** What has happened outside when the message has ended without a crash. */
  readonly effects: readonly string[];
}

const scenarios: readonly Scenario[] = [
  {
    title: 'a saga that succeeds',
    yaml: mainFlow(`- saga:\n    steps:\n      ${step('flight')}\n      ${step('hotel')}\n- respond: { status: 201 }`),
    effects: ['flight', 'hotel'],
  },
  {
    title: 'a saga that fails and is undone',
    yaml: mainFlow(
      `- saga:\n    steps:\n      ${step('flight')}\n      ${step('hotel')}\n      - call: { endpoint: a, test: { path: car } }`,
    ),
    failing: ['car'],
    effects: ['flight', 'hotel', 'undo-hotel', 'undo-flight'],
  },
  {
    title: 'a durable flow with reads, a sub-flow and a loop',
    yaml: mainFlow(
      `
- call: { endpoint: a, test: { path: get-price }, as: price }
- run: { flow: book, as: booked }
- loop: { while: n < 2, steps: [ { call: { endpoint: b, test: { path: "note" }, as: noted, idempotencyKey: "n\${{ $string(n) }}" } }, { transform: '{ "n": n + 1 }' } ] }`,
      { flow: 'durable: true', flows: `book:\n  steps:\n    ${step('hotel')}` },
    ),
    effects: ['hotel', 'note n0', 'note n1'],
  },
  {
    title: 'side by side, each with a key of its own',
    yaml: mainFlow(
      `
- forEach:
    items: '[1, 2, 3]'
    parallel: 3
    steps: [ { call: { endpoint: a, test: { path: "book-\${{ $string($) }}" }, idempotencyKey: "\${{ $uuid() }}" } } ]`,
      { flow: 'durable: true' },
    ),
    effects: ['book-1', 'book-2', 'book-3'],
  },
  {
    title: 'a guarded sub-flow that was done once, and is undone when the flow fails behind it',
    yaml: mainFlow('- run: { flow: book, as: booked }\n- call: { endpoint: a, test: { path: car } }', {
      flow: 'durable: true',
      flows: `book:\n  steps:\n    - idempotent: { key: n }\n    ${step('hotel')}`,
    }),
    failing: ['car'],
    effects: ['hotel', 'undo-hotel'],
  },
];

/** Lets an engine work until nothing moves any more. */
async function quiet(engine: Engine): Promise<void> {
  for (let i = 0; i < 20; i++) await engine.clock.advance(60_000);
}

const plain = (effects: readonly string[]): readonly string[] =>
  effects.map((one) => one.replace(/ [0-9a-f-]{36}$/, ''));

async function crashAt(t: TestContext, scenario: Scenario, at: number, when: 'before' | 'after'): Promise<boolean> {
  const outside = new Outside(scenario.failing);
  const memory = new MemoryStore(new Engine(() => undefined).clock, new Engine(() => undefined).log);
  const dying = new DyingStore(memory, { at, when });
  const first = await startEngine(t, scenario.yaml, {
    store: dying,
    far: (call) => (dying.dead ? (new Promise(() => {}) as never) : outside.call(call)),
  });
  first.send({ body: { n: 0 } }).catch(() => {});
  await quiet(first);
  const died = dying.dead;
  const begun = dying.writes > 1 || when === 'after' || !died;
  const before = [...outside.effects];
  const second = await startEngine(t, scenario.yaml, { store: memory, seed: 2, far: (call) => outside.call(call) });
  await quiet(second);
  const { entries } = await memory.list('journal', { limit: 100 });
  const where = `${scenario.title}: killed ${when} write ${at}; then ${before.join(', ')}`;
  assert.deepEqual(
    entries.map((one) => one.key),
    [],
    `${where}: the account is closed`,
  );
  if (!begun) {
    assert.deepEqual(outside.effects, [], where);
    return died;
  }
  judge(plain(outside.effects), scenario, where);
  return died;
}

/**
 * Nothing is lost and nothing repeated: either all that should happen did, once; or, where nobody can say whether a step
 * was done, everything was undone, in reverse.
 */
function judge(effects: readonly string[], scenario: Scenario, where: string): void {
  const sorted = (list: readonly string[]): readonly string[] => [...list].sort();
  if (JSON.stringify(sorted(effects)) === JSON.stringify(sorted(scenario.effects))) return;
  const done = effects.filter((one) => !one.startsWith('undo-'));
  const undone = effects.filter((one) => one.startsWith('undo-')).map((one) => one.slice('undo-'.length));
  assert.equal(new Set(done).size, done.length, `${where}: nothing is done twice: ${effects.join(', ')}`);
  for (const one of done) assert.ok(undone.includes(one), `${where}: ${one} was left behind: ${effects.join(', ')}`);
}

describe('a durable message goes on, or is undone, wherever the process dies', () => {
  for (const scenario of scenarios) {
    test(scenario.title, async (t) => {
      const outside = new Outside(scenario.failing);
      const calm = await startEngine(t, scenario.yaml, { far: (call) => outside.call(call) });
      await calm.send({ body: { n: 0 } }).catch(() => {});
      assert.deepEqual([...plain(outside.effects)].sort(), [...scenario.effects].sort());
      let points = 0;
      for (const when of ['before', 'after'] as const) {
        for (let at = 1; await crashAt(t, scenario, at, when); at++) points++;
      }
      assert.ok(points >= 8, `only ${points} points`);
    });
  }
});

describe('a durable flow', () => {
  const yaml = mainFlow('- call: { endpoint: a, test: { path: charge } }\n- respond: { status: 201 }', {
    flow: 'durable: true',
  });

  test('answers when it is done, and keeps nothing', async (t) => {
    const outside = new Outside();
    const engine = await startEngine(t, yaml, { far: (call) => outside.call(call) });
    assert.equal((await engine.send({ body: { n: 1 } })).status, 201);
    assert.deepEqual((await engine.store.list('journal', { limit: 10 })).entries, []);
  });

  test('that is stopped goes on at the next start, and was not given up', async (t) => {
    const outside = new Outside();
    const slow = mainFlow(
      '- call: { endpoint: a, test: { path: charge }, as: x }\n- delay: { for: 50s }\n- call: { endpoint: a, test: { path: ship }, as: y }',
      { flow: 'durable: true' },
    );
    const memory = new MemoryStore(new Engine(() => undefined).clock, new Engine(() => undefined).log);
    const kept = new DyingStore(memory, { at: Number.POSITIVE_INFINITY, when: 'after' });
    const first = await startEngine(t, slow, { store: kept, far: (call) => outside.call(call) });
    const sent = assert.rejects(first.send({ body: {} }), { code: 'suspended', status: 503 });
    await first.clock.advance(1000);
    const stopped = first.runtime?.stop(1000);
    await first.clock.advance(10_000);
    await sent;
    assert.equal(await stopped, 0);
    assert.deepEqual(outside.effects, ['charge']);
    const reopened = await startEngine(t, slow, { store: memory, seed: 2, far: (call) => outside.call(call) });
    await reopened.clock.advance(60_000);
    assert.deepEqual(outside.effects, ['charge', 'ship']);
  });

  test('that is stopped does not clean up before it has come to its end', async (t) => {
    const outside = new Outside();
    const slow = mainFlow(
      '- try: { steps: [ { delay: { for: 50s } } ], finally: [ { call: { endpoint: a, test: { path: unlock }, as: x } } ] }',
      { flow: 'durable: true' },
    );
    const memory = new MemoryStore(new Engine(() => undefined).clock, new Engine(() => undefined).log);
    const kept = new DyingStore(memory, { at: Number.POSITIVE_INFINITY, when: 'after' });
    const first = await startEngine(t, slow, { store: kept, far: (call) => outside.call(call) });
    const sent = assert.rejects(first.send({ body: {} }), { code: 'suspended' });
    await first.clock.advance(1000);
    const stopped = first.runtime?.stop(0);
    await first.clock.advance(10_000);
    await Promise.all([sent, stopped]);
    assert.deepEqual(outside.effects, []);
    const reopened = await startEngine(t, slow, { store: memory, seed: 2, far: (call) => outside.call(call) });
    await reopened.clock.advance(60_000);
    assert.deepEqual(outside.effects, ['unlock']);
  });

  test('goes on only with the definition that it began with', async (t) => {
    const outside = new Outside();
    const memory = new MemoryStore(new Engine(() => undefined).clock, new Engine(() => undefined).log);
    const dying = new DyingStore(memory, { at: 3, when: 'after' });
    const first = await startEngine(t, yaml, { store: dying, far: (call) => outside.call(call) });
    first.send({ body: {} }).catch(() => {});
    await quiet(first);
    const other = await startEngine(t, yaml.replace('201', '202'), {
      store: memory,
      seed: 2,
      far: (call) => outside.call(call),
    });
    await quiet(other);
    assert.ok(other.log.lines.some((line) => line.level === 'error' && /version of the definition/.test(line.message)));
    assert.equal((await memory.list('journal', { limit: 10 })).entries.length, 3);
    const same = await startEngine(t, yaml, { store: memory, seed: 3, far: (call) => outside.call(call) });
    await quiet(same);
    assert.deepEqual((await memory.list('journal', { limit: 10 })).entries, []);
    assert.deepEqual(outside.effects, ['charge']);
  });

  test('whose effect nobody can say about is undone, also that effect', async (t) => {
    const outside = new Outside();
    const saga = mainFlow(`- saga:\n    steps:\n      ${step('flight')}\n      ${step('hotel')}`);
    const memory = new MemoryStore(new Engine(() => undefined).clock, new Engine(() => undefined).log);
    // Start, intent and result of the flight, intent of the hotel: then the hotel is booked, and its result never kept.
    const dying = new DyingStore(memory, { at: 5, when: 'before' });
    const first = await startEngine(t, saga, { store: dying, far: (call) => outside.call(call) });
    first.send({ body: {} }).catch(() => {});
    await quiet(first);
    assert.deepEqual(outside.effects, ['flight', 'hotel']);
    const second = await startEngine(t, saga, { store: memory, seed: 2, far: (call) => outside.call(call) });
    await quiet(second);
    assert.deepEqual(outside.effects, ['flight', 'hotel', 'undo-hotel', 'undo-flight']);
  });

  test('whose effect was asked for before a crash is undone when it cannot be repeated after it', async (t) => {
    const outside = new Outside();
    const saga = mainFlow(
      `- saga:\n    steps:\n      ${step('flight')}\n      ${step('hotel', ', idempotencyKey: k1')}`,
    );
    const memory = new MemoryStore(new Engine(() => undefined).clock, new Engine(() => undefined).log);
    const dying = new DyingStore(memory, { at: 5, when: 'before' });
    const first = await startEngine(t, saga, { store: dying, far: (call) => outside.call(call) });
    first.send({ body: {} }).catch(() => {});
    await quiet(first);
    assert.deepEqual(outside.effects, ['flight', 'hotel k1']);
    const far = (call: Call) => {
      if (call.operation['path'] !== 'hotel') return outside.call(call);
      throw failure('connection', { endpoint: 'a', detail: 'refused', sent: false });
    };
    // Killed once more, just after the error is kept: the next one knows it from the journal.
    const again = new DyingStore(memory, { at: 2, when: 'before' });
    const second = await startEngine(t, saga, { store: again, seed: 2, far });
    await quiet(second);
    const third = await startEngine(t, saga, { store: memory, seed: 3, far });
    await quiet(third);
    assert.deepEqual(outside.effects, ['flight', 'hotel k1', 'undo-hotel', 'undo-flight']);
  });

  test('a saga that ended well is not undone when the flow fails later', async (t) => {
    const outside = new Outside();
    const engine = await startEngine(
      t,
      mainFlow(`- saga:\n    steps:\n      ${step('flight')}\n- fail: { code: later }`),
      {
        far: (call) => outside.call(call),
      },
    );
    await assert.rejects(engine.send({ body: {} }), { code: 'later', outcome: 'partial' });
    assert.deepEqual(outside.effects, ['flight']);
  });

  test('a store that cannot be written: nothing is started', async (t) => {
    const outside = new Outside();
    const engine = await startEngine(t, yaml, { far: (call) => outside.call(call) });
    engine.store.write = async () => {
      throw failure('store', { detail: 'disk full' });
    };
    await assert.rejects(engine.send({ body: {} }), { code: 'store', kind: 'transient', status: 503 });
    assert.deepEqual(outside.effects, []);
  });
});
