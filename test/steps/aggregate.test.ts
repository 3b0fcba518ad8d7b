import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mainFlow, startEngine } from '../support/engine.ts';
import { lists, numbers } from './support/aggregate.ts';

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
