import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { failure } from '../../src/errors.ts';
import { surviving } from '../support/dying-store.ts';
import { Engine, freshStore, mainFlow, startEngine } from '../support/engine.ts';
import { lists, numbers } from './support/aggregate.ts';

interface ModelGroup {
  readonly list: number[];
  readonly first: number;
  last: number;
}

/** What an aggregate should do, in a few lines: no store, no messages, no crashes. */
class Model {
  readonly emitted: string[] = [];
  readonly #groups = new Map<string, ModelGroup>();
  readonly #rules: { readonly size: number; readonly idle: number; readonly within: number };
  #now = 0;

  constructor(rules: { readonly size: number; readonly idle: number; readonly within: number }) {
    this.#rules = rules;
  }

  send(k: string, n: number): void {
    const group = this.#groups.get(k) ?? { list: [], first: this.#now, last: this.#now };
    this.#groups.set(k, group);
    group.list.push(n);
    group.last = this.#now;
    if (group.list.length === this.#rules.size) this.#emit(k, 'size');
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#groups].map(([k, { first, last }]) => ({
        k,
        at: Math.min(first + this.#rules.within, last + this.#rules.idle),
        first,
      }));
      const next = due.sort((a, b) => a.at - b.at)[0];
      if (!next || next.at > end) break;
      this.#emit(next.k, next.first + this.#rules.within <= next.at ? 'within' : 'idle');
    }
    this.#now = end;
  }

  #emit(k: string, reason: string): void {
    this.emitted.push(JSON.stringify([k, this.#groups.get(k)?.list, reason]));
    this.#groups.delete(k);
  }
}

describe('what an aggregate has collected', () => {
  test('is there after a restart, and its time goes on', async (t) => {
    const store = freshStore();
    const yaml = numbers('{ size: 3, within: 60s }');
    const first = await startEngine(t, yaml, { store: surviving(store) });
    await first.send({ body: { k: 'x', n: 1 } });
    await first.send({ body: { k: 'y', n: 2 } });
    await first.stop();
    const second = await startEngine(t, yaml, { store: surviving(store), seed: 2 });
    await second.send({ body: { k: 'x', n: 3 } });
    await second.send({ body: { k: 'x', n: 4 } });
    assert.deepEqual(lists(second), [[1, 3, 4]]);
    await second.clock.advance(60_000);
    assert.deepEqual(lists(second), [[1, 3, 4], [2]]);
  });

  test('goes on after a crash in the rest of the flow', async (t) => {
    const store = freshStore();
    const yaml = numbers('{ size: 2 }');
    const first = await startEngine(t, yaml, { store: surviving(store), far: () => new Promise(() => {}) });
    await first.send({ body: { k: 'x', n: 1 } });
    const lost = first.send({ body: { k: 'x', n: 2 } });
    lost.catch(() => {});
    await first.clock.advance(1000);
    assert.equal(first.calls.length, 1);
    const second = await startEngine(t, yaml, { store: surviving(store), seed: 2 });
    await second.clock.advance(1000);
    assert.deepEqual(lists(second), [[1, 2]]);
    const third = await startEngine(t, yaml, { store, seed: 3 });
    await third.clock.advance(120_000);
    assert.deepEqual(lists(third), []);
  });

  test('of a durable flow goes on with what it has done, and does nothing twice', async (t) => {
    const store = freshStore();
    const steps =
      '- aggregate: { complete: { size: 2 } }\n- call: { endpoint: a, as: x }\n- call: { endpoint: b, idempotent: true, as: y }\n- call: { endpoint: a, body: "${{ $ }}" }';
    const yaml = mainFlow(steps, { flow: 'durable: true' });
    const far = ({ endpoint }: { readonly endpoint: string }) =>
      endpoint === 'b' ? new Promise<never>(() => {}) : { body: {} };
    const first = await startEngine(t, yaml, { store: surviving(store), far });
    await first.send({ body: 1 });
    const lost = assert.rejects(first.send({ body: 2 }), { code: 'suspended' });
    await first.clock.advance(1000);
    await first.stop();
    await lost;
    assert.deepEqual(first.called, ['a', 'b']);
    const second = await startEngine(t, yaml, { store, seed: 2, far: () => ({ body: {} }) });
    await second.clock.advance(120_000);
    assert.deepEqual(second.called, ['b', 'a']);
    assert.deepEqual(second.calls[1]?.body, [1, 2]);
  });

  test('is known for a while: a message that comes again is not added twice, nor to another group', async (t) => {
    const engine = await startEngine(t, numbers('{ size: 2 }', ', id: m'));
    for (const [m, n] of [
      ['m1', 1],
      ['m1', 1],
      ['m2', 2],
      ['m2', 2],
      ['m1', 1],
      ['m3', 3],
      ['m4', 4],
    ] as const) {
      await engine.send({ body: { k: 'x', n, m } });
    }
    assert.deepEqual(lists(engine), [
      [1, 2],
      [3, 4],
    ]);
    await engine.clock.advance(3_600_000);
    await engine.send({ body: { k: 'x', n: 1, m: 'm1' } });
    await engine.send({ body: { k: 'x', n: 5, m: 'm5' } });
    assert.deepEqual(lists(engine)[2], [1, 5]);
  });

  test('leaves nothing behind when it is done, however much it was', async (t) => {
    const store = freshStore();
    const engine = await startEngine(t, numbers('{ size: 300 }'), { store: surviving(store) });
    for (let n = 0; n < 300; n++) await engine.send({ body: { k: 'x', n } });
    assert.equal((lists(engine)[0] as readonly unknown[]).length, 300);
    assert.deepEqual((await store.list('aggregate', { limit: 10 })).entries, []);
  });

  test('is missed by nobody in silence: a flow that was renamed does not find its groups, and the log says so', async (t) => {
    const store = freshStore();
    const yaml = numbers('{ size: 2 }');
    const first = await startEngine(t, yaml, { store: surviving(store) });
    await first.send({ body: { k: 'x', n: 1 } });
    await first.send({ body: { k: 'y', n: 1 } });
    await first.send({ body: { k: 'y', n: 2 } });
    await first.stop();
    const warnings = ({ log }: Engine): readonly unknown[] =>
      log.lines.filter(({ message }) => message.startsWith('messages wait for a step')).map(({ fields }) => fields);
    assert.deepEqual(warnings(first), []);
    const second = await startEngine(t, yaml.replace('  main:', '  other:'), { store: surviving(store), seed: 2 });
    assert.deepEqual(warnings(second), [{ step: 'main/aggregate/1' }]);
    const third = await startEngine(t, yaml, { store, seed: 3 });
    assert.deepEqual(warnings(third), []);
  });

  test('is the same for a version that comes by a reload', async (t) => {
    const engine = new Engine(() => undefined);
    const folder = mkdtempSync(join(tmpdir(), 'dowel-aggregate-'));
    t.after(async () => {
      await engine.stop();
      rmSync(folder, { recursive: true });
    });
    await engine.start(folder, numbers('{ size: 3, within: 60s }'), {});
    await engine.send({ body: { k: 'x', n: 1 } });
    await engine.send({ body: { k: 'y', n: 2 } });
    await engine.start(folder, numbers('{ size: 2, within: 30s }'), {});
    await engine.send({ body: { k: 'x', n: 3 } });
    assert.deepEqual(lists(engine), [[1, 3]]);
    await engine.clock.advance(30_000);
    assert.deepEqual(lists(engine), [[1, 3], [2]]);
  });
});

test('whatever comes, in whatever order, over restarts and failures: each message is in one list, once', async (t) => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed);
    const draw = (most: number): number => Math.floor(random.next() * most);
    const rules = { size: 2 + draw(4), idle: 1000 + draw(5000), within: 3000 + draw(10_000) };
    const yaml = numbers(`{ size: ${rules.size}, idle: ${rules.idle}ms, within: ${rules.within}ms }`);
    const model = new Model(rules);
    const store = freshStore();
    const emitted: string[] = [];
    let failing = 0;
    const far = ({ operation }: { readonly operation: Readonly<Record<string, unknown>> }): undefined => {
      if (failing-- > 0) throw failure('timeout', { ms: 1 });
      const { list, group } = operation['what'] as {
        readonly list: unknown;
        readonly group: { readonly key: string; readonly reason: string };
      };
      emitted.push(JSON.stringify([group.key, list, group.reason]));
    };
    let engine = await startEngine(t, yaml, { store: surviving(store), far, seed: 1000 * seed });
    let elapsed = 0;
    for (let n = 0; n < 60; n++) {
      const action = draw(10);
      if (action < 6) {
        const k = ['x', 'y', 'z'][draw(3)] ?? 'x';
        await engine.send({ body: { k, n } });
        model.send(k, n);
      } else if (action < 8) {
        const ms = draw(4000);
        await engine.clock.advance(ms);
        elapsed += ms;
        model.advance(ms);
      } else if (action === 8) failing = draw(3);
      else {
        failing = 0;
        await engine.clock.advance(0);
        await engine.stop();
        engine = await startEngine(t, yaml, { store: surviving(store), far, seed: 1000 * seed + n + 1 });
        await engine.clock.advance(elapsed);
      }
    }
    failing = 0;
    await engine.clock.advance(600_000);
    model.advance(600_000);
    assert.deepEqual(emitted.sort(), model.emitted.sort(), `seed ${seed}`);
    await engine.stop();
  }
});
