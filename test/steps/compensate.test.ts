import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failure } from '../../src/errors.ts';
import { type Far, mainFlow, startEngine } from '../support/engine.ts';

/** Gives every effect a number, and fails for what is named. */
const world = (...failing: readonly string[]): Far => {
  let next = 1;
  return ({ endpoint, operation }) => {
    const path = String(operation['path']);
    if (failing.some((one) => path.startsWith(one)))
      throw failure('connection', { endpoint, detail: 'down', sent: false });
    return { body: { id: next++ } };
  };
};

const charge = (name: string): string =>
  `- call: { endpoint: a, test: { path: "${name}" }, as: ${name}, compensate: [ { call: { endpoint: a, test: { path: "undo-${name}-\${{ $string($${name}.id) }}" } } } ] }`;

describe('compensate', () => {
  test('what was done is undone, the latest first, before the caller hears of the error', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`${charge('flight')}\n${charge('hotel')}\n- call: { endpoint: b, test: { path: car } }`),
      {
        far: world('car'),
      },
    );
    await assert.rejects(engine.send({ body: {} }), { code: 'connection' });
    assert.deepEqual(engine.called, ['a flight', 'a hotel', 'b car', 'a undo-hotel-2', 'a undo-flight-1']);
  });

  test('a step that failed itself is not undone', async (t) => {
    const engine = await startEngine(t, mainFlow(`${charge('flight')}\n${charge('hotel')}`), { far: world('hotel') });
    await assert.rejects(engine.send({ body: {} }));
    assert.deepEqual(engine.called, ['a flight', 'a hotel', 'a undo-flight-1']);
  });

  test('a flow that succeeds undoes nothing', async (t) => {
    const engine = await startEngine(t, mainFlow(charge('flight')), { far: world() });
    await engine.send({ body: {} });
    assert.deepEqual(engine.called, ['a flight']);
  });

  test('an error that is caught inside the flow undoes nothing', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        `${charge('flight')}\n- try: { steps: [ { call: { endpoint: b, test: { path: car } } } ], catch: [ { steps: [ { respond: { status: 202 } } ] } ] }`,
      ),
      { far: world('car') },
    );
    assert.equal((await engine.send({ body: {} })).status, 202);
    assert.deepEqual(engine.called, ['a flight', 'b car']);
  });

  test('each undo sees what its own step saw, also in every round of forEach', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`
- forEach:
    items: $
    as: room
    steps: [ { call: { endpoint: a, test: { path: "book-\${{ $room }}" }, as: booked, compensate: [ { call: { endpoint: a, test: { path: "cancel-\${{ $room }}-\${{ $string($booked.id) }}" } } } ] } } ]
    into: rooms
- set: { body: { changed: true } }
- fail: { code: no-car }`),
      { far: world() },
    );
    await assert.rejects(engine.send({ body: ['x', 'y'] }), { code: 'no-car' });
    assert.deepEqual(engine.called, ['a book-x', 'a book-y', 'a cancel-y-2', 'a cancel-x-1']);
  });

  test('a step that may have been executed is undone too', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        `${charge('flight')}\n- call: { endpoint: b, test: { path: hotel }, compensate: [ { call: { endpoint: b, test: { path: "undo-hotel-\${{ $error.code }}" } } } ] }`,
      ),
      {
        far: ({ endpoint, operation }) => {
          if (operation['path'] === 'hotel') throw failure('connection', { endpoint, detail: 'reset', sent: true });
          return { body: { id: 1 } };
        },
      },
    );
    await assert.rejects(engine.send({ body: {} }), { code: 'connection' });
    assert.deepEqual(engine.called, ['a flight', 'b hotel', 'b undo-hotel-connection', 'a undo-flight-1']);
  });

  test('a group that was done in part is undone', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`
- group:
    steps: [ { call: { endpoint: a, test: { path: one } } }, { fail: {} } ]
    compensate: [ { call: { endpoint: a, test: { path: undo } } } ]`),
      { far: world() },
    );
    await assert.rejects(engine.send({ body: {} }), { code: 'failed' });
    assert.deepEqual(engine.called, ['a one', 'a undo']);
  });

  test('an undo that fails for a moment is tried again before the caller hears of the error', async (t) => {
    let failures = 3;
    const engine = await startEngine(t, mainFlow(`${charge('flight')}\n- fail: { code: no-car }`), {
      far: ({ endpoint, operation }) => {
        if (String(operation['path']).startsWith('undo') && failures-- > 0)
          throw failure('timeout', { endpoint, ms: 1 });
        return { body: { id: 1 } };
      },
    });
    const sent = assert.rejects(engine.send({ body: {} }), { code: 'no-car', outcome: 'none' });
    await engine.clock.advance(60_000);
    await sent;
    assert.equal(engine.calls.length, 5);
    assert.equal(engine.log.lines.filter((line) => line.message === 'a compensation failed, trying again').length, 3);
  });

  test('one undo that fails keeps no other from running; somebody is told, and the outcome is unknown', async (t) => {
    const engine = await startEngine(t, mainFlow(`${charge('flight')}\n${charge('hotel')}\n- fail: { code: no-car }`), {
      far: world('undo-hotel'),
    });
    const sent = assert.rejects(engine.send({ body: {} }), { code: 'no-car', outcome: 'unknown' });
    await engine.clock.advance(300_000);
    await sent;
    assert.equal(engine.called.filter((one) => one === 'a undo-hotel-2').length, 10);
    assert.equal(engine.called.at(-1), 'a undo-flight-1');
    assert.equal(
      engine.log.lines.filter((line) => line.level === 'error' && /compensation/.test(line.message)).length,
      1,
    );
  });

  test('a deadline that passed does not keep the undo from running', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`${charge('flight')}\n- call: { endpoint: b, test: { path: slow } }`, { flow: 'deadline: 1s' }),
      {
        far: ({ operation }) => (operation['path'] === 'slow' ? new Promise(() => {}) : { body: { id: 1 } }),
      },
    );
    const sent = assert.rejects(engine.send({ body: {} }), { code: 'deadline' });
    await engine.clock.advance(1000);
    await sent;
    assert.deepEqual(engine.called, ['a flight', 'b slow', 'a undo-flight-1']);
  });

  test('group: one undo for several steps', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`
- group:
    steps: [ { call: { endpoint: a, test: { path: one }, as: one } }, { call: { endpoint: a, test: { path: two }, as: two } } ]
    compensate: [ { call: { endpoint: a, test: { path: "undo-\${{ $string($one.id + $two.id) }}" } } } ]
- fail: {}`),
      { far: world() },
    );
    await assert.rejects(engine.send({ body: {} }), { code: 'failed' });
    assert.deepEqual(engine.called, ['a one', 'a two', 'a undo-3']);
  });

  test('onError answers after the undo', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`${charge('flight')}\n- fail: {}`, {
        flow: 'onError: [ { steps: [ { call: { endpoint: b, test: { path: told }, as: x } }, { respond: { status: 503 } } ] } ]',
      }),
      { far: world() },
    );
    assert.equal((await engine.send({ body: {} })).status, 503);
    assert.deepEqual(engine.called, ['a flight', 'a undo-flight-1', 'b told']);
  });

  describe('in a sub-flow', () => {
    const booking = (end: string): string => `booking:\n  steps:\n    ${charge('hotel')}\n    ${end}`;

    test('that fails, only what it did itself is undone', async (t) => {
      const engine = await startEngine(
        t,
        mainFlow(
          `${charge('flight')}\n- try: { steps: [ { run: { flow: booking } } ], catch: [ { steps: [ { respond: { status: 202 } } ] } ] }`,
          {
            flows: booking('- fail: {}'),
          },
        ),
        { far: world() },
      );
      assert.equal((await engine.send({ body: {} })).status, 202);
      assert.deepEqual(engine.called, ['a flight', 'a hotel', 'a undo-hotel-2']);
    });

    test('that succeeded, it is undone when the caller fails later', async (t) => {
      const engine = await startEngine(
        t,
        mainFlow(`${charge('flight')}\n- run: { flow: booking }\n- fail: {}`, {
          flows: booking('- log: { message: booked }'),
        }),
        { far: world() },
      );
      await assert.rejects(engine.send({ body: {} }), { code: 'failed' });
      assert.deepEqual(engine.called, ['a flight', 'a hotel', 'a undo-hotel-2', 'a undo-flight-1']);
    });

    test('in branches side by side, each undoes its own', async (t) => {
      const engine = await startEngine(
        t,
        mainFlow(
          `
- scatterGather:
    branches:
      good: [ { run: { flow: booking } } ]
      bad: [ { try: { steps: [ { run: { flow: failing } } ], catch: [ { steps: [ { transform: '"no"' } ] } ] } } ]
    as: got
- transform: $got.bad`,
          {
            flows: `${booking('- log: { message: booked }')}\n${booking('- fail: {}').replace('booking:', 'failing:').replaceAll('hotel', 'inn')}`,
          },
        ),
        { far: world() },
      );
      assert.equal((await engine.send({ body: {} })).body, 'no');
      assert.deepEqual([...engine.called].sort(), ['a hotel', 'a inn', 'a undo-inn-2']);
    });
  });

  test('in a copy for a wire tap, what it did is undone when it fails', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`- wireTap: { steps: [ ${charge('flight').slice(2)}, { fail: {} } ] }`),
      {
        far: world(),
      },
    );
    await engine.send({ body: {} });
    await engine.clock.advance(0);
    assert.deepEqual(engine.called, ['a flight', 'a undo-flight-1']);
  });

  test('in onError, what it did is undone when it fails; what was undone before is not touched again', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`${charge('flight')}\n- fail: {}`, {
        flow: `onError: [ { steps: [ ${charge('hotel').slice(2)}, { fail: { code: second } } ] } ]`,
      }),
      { far: world() },
    );
    await assert.rejects(engine.send({ body: {} }), { code: 'second', outcome: 'none' });
    assert.deepEqual(engine.called, ['a flight', 'a undo-flight-1', 'a hotel', 'a undo-hotel-3']);
  });

  test('an undo that is itself compensated is never taken back', async (t) => {
    const refund =
      'refund:\n  steps:\n    - call: { endpoint: b, test: { path: refund }, as: r, compensate: [ { call: { endpoint: b, test: { path: charge-again } } } ] }';
    const engine = await startEngine(
      t,
      mainFlow(
        '- call: { endpoint: a, test: { path: charge }, as: c, compensate: [ { run: { flow: refund } } ] }\n- fail: {}',
        { flows: refund, flow: 'onError: [ { steps: [ { fail: { code: second } } ] } ]' },
      ),
      { far: world() },
    );
    await assert.rejects(engine.send({ body: {} }), { code: 'second' });
    assert.deepEqual(engine.called, ['a charge', 'b refund']);
  });
});

describe('a compensation that cannot be done', () => {
  const steps = `${charge('flight')}\n- call: { endpoint: b, test: { path: car } }`;

  test('is kept with the dead letters, with what a person needs to do it', async (t) => {
    const engine = await startEngine(t, mainFlow(steps), { far: world('car', 'undo') });
    const failed = assert.rejects(
      engine.send({ body: { order: 7 }, headers: { authorization: 'Bearer x', kind: 'odd' } }),
    );
    await engine.clock.advance(600_000);
    await failed;
    const desk = await engine.runtime?.deadLetters();
    const { letters = [] } = (await desk?.list({ limit: 10 })) ?? {};
    assert.equal(letters.length, 1);
    const shown = await desk?.show(letters[0]?.id ?? '');
    assert.equal(shown?.type, 'undo');
    assert.equal(shown?.flow, 'main');
    assert.equal(shown?.place, 'main/steps/0 call');
    assert.equal(shown?.code, 'connection');
    assert.equal(shown?.attempts, 10);
    assert.deepEqual({ ...shown?.headers }, { kind: 'odd' });
    const kept = JSON.parse(shown && 'text' in shown.body ? shown.body.text : '');
    assert.deepEqual(kept, {
      undo: 'main/steps/0 call',
      because: { code: 'connection', message: 'b could not be reached: down', place: 'main/steps/1 call' },
      variables: { flight: { id: 1 } },
      body: { order: 7 },
    });
  });

  test('is told of once more when it cannot be kept', async (t) => {
    const engine = await startEngine(t, mainFlow(steps), { far: world('car', 'undo') });
    await engine.store.close();
    const failed = assert.rejects(engine.send({ body: {} }), { code: 'connection' });
    await engine.clock.advance(600_000);
    await failed;
    const errors = engine.log.lines.filter(({ level }) => level === 'error').map(({ message }) => message);
    assert.deepEqual(errors, [
      'a compensation failed: its effect is still there',
      'a compensation that failed could not be kept: only the log knows of it',
    ]);
  });
});
