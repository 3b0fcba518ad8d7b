import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { failure } from '../../src/errors.ts';
import { surviving } from '../support/dying-store.ts';
import { Engine, freshStore, mainFlow, startEngine } from '../support/engine.ts';

const numbers = (complete: string, more = ''): string =>
  mainFlow(
    `- aggregate: { by: k, complete: ${complete}, collect: n${more} }\n- call: { endpoint: a, test: { what: { list: "\${{ $ }}", group: "\${{ $source.group }}" } }, as: done }`,
  );

/** What the rest of the flow was run over. */
const lists = (engine: Engine): readonly unknown[] =>
  engine.calls.map((call) => (call.operation['what'] as { readonly list: unknown }).list);

describe('aggregate', () => {
  test('collects until there are enough: then the flow goes on once, with the list', async (t) => {
    const engine = await startEngine(t, mainFlow('- aggregate: { complete: { size: 3 } }\n- transform: $sum(n)'));
    const replies = [];
    for (let n = 1; n <= 6; n++) replies.push(await engine.send({ body: { n } }));
    assert.deepEqual(
      replies.map(({ status, body }) => [status, body]),
      [
        [202, undefined],
        [202, undefined],
        [undefined, 6],
        [202, undefined],
        [202, undefined],
        [undefined, 15],
      ],
    );
  });

  test('groups are apart, and know their key, their size and why they are complete', async (t) => {
    const engine = await startEngine(t, numbers('{ size: 2 }'));
    for (const [k, n] of [
      ['x', 1],
      ['y', 2],
      [1, 3],
      ['x', 4],
      ['1', 5],
      ['y', 6],
    ] as const) {
      await engine.send({ body: { k, n } });
    }
    assert.deepEqual(
      engine.calls.map((call) => call.operation['what']),
      [
        { list: [1, 4], group: { key: 'x', size: 2, reason: 'size' } },
        { list: [3, 5], group: { key: '1', size: 2, reason: 'size' } },
        { list: [2, 6], group: { key: 'y', size: 2, reason: 'size' } },
      ],
    );
  });

  test('when sees the message that has just come, and how many there are with it', async (t) => {
    const engine = await startEngine(t, numbers('{ when: "$source.group.size = of or last" }'));
    for (const body of [
      { k: 'x', n: 1, of: 3 },
      { k: 'y', n: 2 },
      { k: 'x', n: 3, of: 3 },
      { k: 'y', n: 4, last: true },
      { k: 'x', n: 5, of: 3 },
    ]) {
      await engine.send({ body });
    }
    assert.deepEqual(lists(engine), [
      [2, 4],
      [1, 3, 5],
    ]);
  });

  test('within: a group is complete so long after its first message, without another one', async (t) => {
    const engine = await startEngine(t, numbers('{ within: 10s }'));
    await engine.send({ body: { k: 'x', n: 1 } });
    await engine.clock.advance(6000);
    await engine.send({ body: { k: 'x', n: 2 } });
    await engine.clock.advance(3999);
    assert.deepEqual(lists(engine), []);
    await engine.clock.advance(1);
    assert.deepEqual(engine.calls[0]?.operation['what'], {
      list: [1, 2],
      group: { key: 'x', size: 2, reason: 'within' },
    });
    await engine.clock.advance(60_000);
    assert.equal(engine.calls.length, 1);
  });

  test('idle: a group is complete when no message has come for so long', async (t) => {
    const engine = await startEngine(t, numbers('{ idle: 10s }'));
    for (const n of [1, 2, 3]) {
      await engine.send({ body: { k: 'x', n } });
      await engine.clock.advance(9000);
    }
    assert.deepEqual(lists(engine), []);
    await engine.clock.advance(1000);
    assert.deepEqual(lists(engine), [[1, 2, 3]]);
  });

  test('a message of which nothing is collected counts, and is not in the list', async (t) => {
    const engine = await startEngine(t, numbers('{ size: 3 }'));
    for (const n of [1, undefined, null]) await engine.send({ body: { k: 'x', n } });
    assert.deepEqual(lists(engine), [[1, null]]);
  });

  test('headers are those of the last message; names that were given before are not known behind it', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        '- aggregate: { complete: { size: 2, within: 5s } }\n- call: { endpoint: a, headers: { x-h: "${{ $headers.`x-in` }}" } }',
      ),
    );
    await engine.send({ body: 1, headers: { 'x-in': 'one' } });
    await engine.send({ body: 2, headers: { 'x-in': 'two' } });
    await engine.send({ body: 3, headers: { 'x-in': 'three' } });
    await engine.clock.advance(5000);
    assert.deepEqual(
      engine.calls.map((call) => call.headers['x-h']),
      ['two', 'three'],
    );
    await assert.rejects(
      startEngine(
        t,
        mainFlow('- set: { variables: { v: 1 } }\n- aggregate: { complete: { size: 2 } }\n- transform: $v'),
      ),
      /unknown-variable: `\$v` is not known here/,
    );
  });

  test('a key of nothing is an error, and nothing is kept', async (t) => {
    const engine = await startEngine(t, numbers('{ size: 2 }'));
    await assert.rejects(engine.send({ body: { n: 1 } }), { code: 'no-key', status: 400 });
  });

  test('messages that come at once are in one group, each once', async (t) => {
    const engine = await startEngine(t, numbers('{ size: 50 }'));
    await Promise.all(Array.from({ length: 100 }, (_, n) => engine.send({ body: { k: 'x', n } })));
    const all = lists(engine).flat() as number[];
    assert.equal(engine.calls.length, 2);
    assert.deepEqual(
      all.sort((a, b) => a - b),
      Array.from({ length: 100 }, (_, n) => n),
    );
  });
});

describe('an aggregate is bounded', () => {
  test('by the number of groups: one more waits where time makes room, else it is an error for good', async (t) => {
    const engine = await startEngine(t, numbers('{ size: 2 }', ', maxGroups: 2'));
    await engine.send({ body: { k: 'x', n: 1 } });
    await engine.send({ body: { k: 'y', n: 2 } });
    await assert.rejects(engine.send({ body: { k: 'z', n: 3 } }), { code: 'aggregate-full', kind: 'permanent' });
    await engine.send({ body: { k: 'x', n: 4 } });
    await engine.send({ body: { k: 'z', n: 5 } });
    assert.deepEqual(lists(engine), [[1, 4]]);
    const timed = await startEngine(t, numbers('{ within: 1s }', ', maxGroups: 1'));
    await timed.send({ body: { k: 'x', n: 1 } });
    await assert.rejects(timed.send({ body: { k: 'y', n: 2 } }), {
      code: 'aggregate-full',
      kind: 'rejected',
      status: 503,
    });
    await timed.clock.advance(1000);
    await timed.send({ body: { k: 'y', n: 2 } });
  });

  test('by the messages of a group, unless the message completes it', async (t) => {
    const engine = await startEngine(t, numbers('{ when: last }', ', maxMessages: 2'));
    await engine.send({ body: { k: 'x', n: 1 } });
    await engine.send({ body: { k: 'x', n: 2 } });
    await assert.rejects(engine.send({ body: { k: 'x', n: 3 } }), {
      code: 'aggregate-full',
      kind: 'permanent',
      message: /its group has 2 messages \(`maxMessages`\)/,
    });
    await engine.send({ body: { k: 'x', n: 4, last: true } });
    assert.deepEqual(lists(engine), [[1, 2, 4]]);
  });

  test('by the size of a group', async (t) => {
    const engine = await startEngine(t, numbers('{ idle: 1s }', ', maxSize: 64b'));
    await engine.send({ body: { k: 'x', n: 'a'.repeat(40) } });
    await assert.rejects(engine.send({ body: { k: 'x', n: 'b'.repeat(40) } }), {
      code: 'aggregate-full',
      kind: 'rejected',
    });
    await assert.rejects(engine.send({ body: { k: 'y', n: 'c'.repeat(80) } }), {
      code: 'aggregate-full',
      kind: 'permanent',
    });
    await engine.clock.advance(1000);
    assert.deepEqual(lists(engine), [['a'.repeat(40)]]);
  });
});

describe('when the rest of the flow fails', () => {
  const failing = (engine: Engine, times: number, error = failure('timeout', { ms: 1 })): void => {
    let left = times;
    engine.far = () => {
      if (left-- > 0) throw error;
      return undefined;
    };
  };

  test('for a moment: the group goes on by itself, and the message that completed it is accepted', async (t) => {
    const engine = await startEngine(t, numbers('{ size: 2 }'));
    failing(engine, 2);
    await engine.send({ body: { k: 'x', n: 1 } });
    assert.equal((await engine.send({ body: { k: 'x', n: 2 } })).status, 202);
    await engine.clock.advance(10_000);
    assert.deepEqual(lists(engine), [
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
    await engine.clock.advance(600_000);
    assert.equal(engine.calls.length, 3);
  });

  test('for good: the caller hears of it, and the list is a dead letter', async (t) => {
    const engine = await startEngine(t, numbers('{ size: 2 }'));
    failing(engine, 1, failure('validation', { detail: 'no' }));
    await engine.send({ body: { k: 'x', n: 1 } });
    await assert.rejects(engine.send({ body: { k: 'x', n: 2 } }), { code: 'validation' });
    await engine.clock.advance(1000);
    const desk = await engine.runtime?.deadLetters();
    const letters = (await desk?.list({ limit: 10 }))?.letters ?? [];
    assert.equal(letters.length, 1);
    assert.equal(engine.calls.length, 1);
    const [letter] = letters;
    assert.deepEqual(JSON.parse(Buffer.from((await desk?.body(letter?.id ?? '')) ?? []).toString()), [1, 2]);
    // Replayed it goes on behind the aggregate, not into it.
    assert.equal((await desk?.replay(letter?.id ?? '', 'current'))?.outcome, 'done');
    assert.deepEqual(lists(engine), [
      [1, 2],
      [1, 2],
    ]);
  });

  test('of a group that time completed: it is tried again, then it is a dead letter', async (t) => {
    const engine = await startEngine(t, numbers('{ within: 1s }'));
    failing(engine, Number.POSITIVE_INFINITY);
    await engine.send({ body: { k: 'x', n: 1 } });
    await engine.clock.advance(600_000);
    assert.equal(engine.calls.length, 5);
    const letters = (await (await engine.runtime?.deadLetters())?.list({ limit: 10 }))?.letters ?? [];
    assert.deepEqual(
      letters.map(({ code, attempts }) => [code, attempts]),
      [['timeout', 5]],
    );
  });

  test('and onError handles it: the group is done', async (t) => {
    const yaml = mainFlow('- aggregate: { complete: { size: 2, within: 5s } }\n- call: { endpoint: a }', {
      flow: 'onError: [ { steps: [ { call: { endpoint: b, body: "${{ $error.code }}" } } ] } ]',
    });
    const engine = await startEngine(t, yaml, {
      far: ({ endpoint }) => {
        if (endpoint === 'a') throw failure('timeout', { ms: 1 });
        return { body: 'handled' };
      },
    });
    await engine.send({ body: 1 });
    assert.equal((await engine.send({ body: 2 })).body, 'handled');
    await engine.send({ body: 3 });
    await engine.clock.advance(600_000);
    assert.deepEqual(engine.called, ['a', 'b', 'a', 'b']);
  });

  test('what was done before the aggregate is not undone; what was done behind it is, each time', async (t) => {
    const undo = (name: string): string => `compensate: [ { call: { endpoint: b, test: { path: "un${name}" } } } ]`;
    const yaml = mainFlow(
      `- call: { endpoint: b, test: { path: one }, as: one, ${undo('one')} }\n- aggregate: { complete: { size: 2 } }\n- call: { endpoint: b, test: { path: two }, as: two, ${undo('two')} }\n- call: { endpoint: a }`,
    );
    let left = 1;
    const engine = await startEngine(t, yaml, {
      far: ({ endpoint }) => {
        if (endpoint === 'a' && left-- > 0) throw failure('timeout', { ms: 1 });
        return { body: {} };
      },
    });
    await engine.send({ body: 1 });
    await engine.send({ body: 2 });
    await engine.clock.advance(10_000);
    assert.deepEqual(engine.called, ['b one', 'b one', 'b two', 'a', 'b untwo', 'b two', 'a']);
  });
});

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

describe('inside a round', () => {
  test('the rest of the round is run over the list', async (t) => {
    const yaml = mainFlow(
      '- forEach: { items: lines, into: rows, steps: [ { aggregate: { by: k, complete: { size: 2, idle: 5s }, collect: n } }, { call: { endpoint: a } } ] }\n- transform: $count($rows)',
    );
    const engine = await startEngine(t, yaml, { far: ({ body }) => ({ body }) });
    const lines = ['x', 'y', 'x', 'z', 'y'].map((k, n) => ({ k, n }));
    assert.equal((await engine.send({ body: { lines } })).body, 2);
    await engine.clock.advance(5000);
    assert.deepEqual(
      engine.calls.map((call) => call.body),
      [[0, 2], [1, 4], [3]],
    );
  });

  test('where the rest of the round fails the round is done all the same, and the group goes on by itself', async (t) => {
    const yaml = mainFlow(
      '- forEach: { items: lines, into: rows, steps: [ { aggregate: { complete: { size: 2 } } }, { call: { endpoint: a } } ] }',
    );
    let left = 1;
    const engine = await startEngine(t, yaml, {
      far: () => {
        if (left-- > 0) throw failure('timeout', { ms: 1 });
        return undefined;
      },
    });
    await engine.send({ body: { lines: [1, 2] } });
    await engine.clock.advance(10_000);
    assert.deepEqual(
      engine.calls.map((call) => call.body),
      [
        [1, 2],
        [1, 2],
      ],
    );
  });
});

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
