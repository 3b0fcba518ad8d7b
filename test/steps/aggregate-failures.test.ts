import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failure } from '../../src/errors.ts';
import { type Engine, mainFlow, startEngine } from '../support/engine.ts';
import { lists, numbers } from './support/aggregate.ts';

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
