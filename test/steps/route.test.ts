import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failure } from '../../src/errors.ts';
import { mainFlow, startEngine } from '../support/engine.ts';

describe('switch', () => {
  const steps = `
- switch:
    cases:
      - when: amount > 100
        steps: [ { call: { endpoint: a } } ]
      - when: amount > 10
        steps: [ { call: { endpoint: b } } ]
`;

  test('runs the first case that is true, and no other', async (t) => {
    const engine = await startEngine(t, mainFlow(steps));
    await engine.send({ body: { amount: 200 } });
    await engine.send({ body: { amount: 20 } });
    assert.deepEqual(engine.called, ['a', 'b']);
  });

  test('no match and no otherwise is an error, not silence', async (t) => {
    const engine = await startEngine(t, mainFlow(steps));
    await assert.rejects(engine.send({ body: { amount: 1 } }), { code: 'unmatched', kind: 'permanent' });
  });

  test('otherwise takes what is left', async (t) => {
    const engine = await startEngine(t, mainFlow(`${steps}    otherwise: [ { respond: { status: 202 } } ]`));
    assert.equal((await engine.send({ body: { amount: 1 } })).status, 202);
  });

  test('only `true` is true: a non-empty text is not', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        `- switch: { cases: [ { when: name, steps: [ { stop: {} } ] } ], otherwise: [ { respond: { status: 202 } } ] }`,
      ),
    );
    assert.equal((await engine.send({ body: { name: 'x' } })).status, 202);
  });

  test('goes on behind it with the body of the case', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`
- switch:
    cases: [ { when: a, steps: [ { transform: '"first"' } ] } ]
    otherwise: [ { transform: '"second"' } ]
- transform: '$ & "!"'`),
    );
    assert.equal((await engine.send({ body: { a: true } })).body, 'first!');
    assert.equal((await engine.send({ body: { a: false } })).body, 'second!');
  });
});

describe('when', () => {
  test('skips a step unless it is true', async (t) => {
    const engine = await startEngine(t, mainFlow(`- when: n = 1\n  transform: '"one"'`));
    assert.equal((await engine.send({ body: { n: 1 } })).body, 'one');
    assert.deepEqual((await engine.send({ body: { n: 2 } })).body, { n: 2 });
  });
});

describe('filter and stop', () => {
  test('filter ends the flow quietly', async (t) => {
    const engine = await startEngine(t, mainFlow('- filter: { when: ok }\n- call: { endpoint: a }'));
    assert.equal((await engine.send({ body: { ok: false } })).exchange, undefined);
    assert.deepEqual(engine.called, []);
    await engine.send({ body: { ok: true } });
    assert.deepEqual(engine.called, ['a']);
  });

  test('stop ends it from inside a case', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        '- switch: { cases: [ { when: stop, steps: [ { stop: {} } ] } ], otherwise: [ { log: { message: on } } ] }\n- call: { endpoint: a }',
      ),
    );
    assert.equal((await engine.send({ body: { stop: true } })).exchange, undefined);
    assert.deepEqual(engine.called, []);
  });
});

describe('respond', () => {
  test('answers with status, headers and body, and ends the flow', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`
- when: early
  respond: { status: "\${{ code }}", headers: { x-a: "\${{ $string(code) }}" }, body: { done: true } }
- call: { endpoint: a }`),
    );
    const reply = await engine.send({ body: { early: true, code: 409 } });
    assert.equal(reply.status, 409);
    assert.deepEqual({ ...reply.headers }, { 'x-a': '409' });
    assert.deepEqual(reply.body, { done: true });
    assert.deepEqual(engine.called, []);
  });

  test('a status that is none is an error', async (t) => {
    const engine = await startEngine(t, mainFlow('- respond: { status: "${{ code }}" }'));
    await assert.rejects(engine.send({ body: { code: 'teapot' } }), { code: 'expression' });
    await assert.rejects(engine.send({ body: { code: 99 } }), { code: 'expression' });
  });
});

describe('loop', () => {
  test('repeats as long as its condition is true', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`- loop: { while: n < 5, steps: [ { transform: '{ "n": n + 1 }' } ] }`),
    );
    assert.deepEqual((await engine.send({ body: { n: 1 } })).body, { n: 5 });
  });

  test('is bounded', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow('- loop: { while: "true", maxIterations: 3, steps: [ { call: { endpoint: a, as: x } } ] }'),
    );
    await assert.rejects(engine.send({ body: {} }), { code: 'too-many-iterations' });
    assert.equal(engine.calls.length, 3);
  });
});

describe('run', () => {
  const price = `
price:
  steps:
    - when: sku = "none"
      fail: { code: no-such-product, status: 404, detail: "no \${{ sku }}" }
    - respond: { body: { amount: "\${{ sku = 'tea' ? 3 : 4 }}" } }`;

  test('a sub-flow is a function: it is given a body, its result comes back under a name', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        `- run: { flow: price, body: { sku: "\${{ item }}" }, as: price }\n- transform: '{ "item": item, "price": $price.amount }'`,
        {
          flows: price,
        },
      ),
    );
    assert.deepEqual((await engine.send({ body: { item: 'tea' } })).body, { item: 'tea', price: 3 });
  });

  test('its respond comes back to the caller, whose flow goes on', async (t) => {
    const engine = await startEngine(t, mainFlow(`- run: { flow: price }\n- transform: amount * 2`, { flows: price }));
    const reply = await engine.send({ body: { sku: 'tea' } });
    assert.equal(reply.status, undefined);
    assert.equal(reply.body, 6);
  });

  test('it sees none of the variables of its caller', async (t) => {
    await assert.rejects(
      startEngine(
        t,
        mainFlow(`- set: { variables: { secret: 1 } }\n- run: { flow: inner }`, {
          flows: 'inner:\n  steps: [ { transform: $secret } ]',
        }),
      ),
      /unknown-variable/,
    );
  });

  test('its error is the error of the step', async (t) => {
    const engine = await startEngine(t, mainFlow('- run: { flow: price }', { flows: price }));
    await assert.rejects(engine.send({ body: { sku: 'none' } }), {
      code: 'no-such-product',
      message: 'no none',
      place: 'price/steps/0 fail',
    });
  });

  test('its own deadline ends it, its own onError answers for it', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow('- run: { flow: slow, as: result }\n- transform: $result', {
        flows: `
slow:
  deadline: 1s
  steps: [ { call: { endpoint: a } } ]
  onError: [ { on: [deadline], steps: [ { transform: '"too late"' } ] } ]`,
      }),
      { far: () => new Promise(() => {}) },
    );
    const sent = engine.send({ body: {} });
    await engine.clock.advance(1000);
    assert.equal((await sent).body, 'too late');
  });
});

describe('try', () => {
  const tried = (more: string): string =>
    mainFlow(`
- try:
    steps: [ { call: { endpoint: a } } ]
${more}`);

  test('the first entry that fits the code, the class or the kind runs, and sees $error', async (t) => {
    const yaml = tried(`
    catch:
      - on: [timeout]
        steps: [ { transform: '"timeout"' } ]
      - on: [rejected]
        when: $error.code != "overloaded"
        steps: [ { transform: '"rejected"' } ]
      - steps: [ { transform: $error.code } ]`);
    const codes = ['timeout', 'rate-limited', 'overloaded', 'validation'] as const;
    const engine = await startEngine(t, yaml);
    const seen: unknown[] = [];
    for (const code of codes) {
      engine.far = () => {
        throw failure(code, { endpoint: 'a' });
      };
      seen.push((await engine.send({ body: {} })).body);
    }
    assert.deepEqual(seen, ['timeout', 'rejected', 'overloaded', 'validation']);
  });

  test('what no entry fits goes on', async (t) => {
    const engine = await startEngine(t, tried('    catch: [ { on: [timeout], steps: [ { stop: {} } ] } ]'), {
      far: () => {
        throw failure('connection', { endpoint: 'a', detail: 'refused', sent: false });
      },
    });
    await assert.rejects(engine.send({ body: {} }), { code: 'connection' });
  });

  test('finally runs in every case, and the message goes on as it was', async (t) => {
    const yaml = tried(`    catch: [ { on: [timeout], steps: [ { transform: '"caught"' } ] } ]
    finally: [ { call: { endpoint: b } }, { transform: '"not seen"' } ]`);
    const engine = await startEngine(t, yaml);
    engine.far = ({ endpoint }) => (endpoint === 'a' ? { body: 'fine' } : undefined);
    assert.equal((await engine.send({ body: {} })).body, 'fine');
    engine.far = ({ endpoint }) => {
      if (endpoint === 'a') throw failure('timeout', { endpoint, ms: 1 });
      return undefined;
    };
    assert.equal((await engine.send({ body: {} })).body, 'caught');
    engine.far = ({ endpoint }) => {
      if (endpoint === 'a') throw failure('connection', { endpoint, detail: 'x' });
      return undefined;
    };
    await assert.rejects(engine.send({ body: {} }), { code: 'connection' });
    assert.deepEqual(engine.called, ['a', 'b', 'a', 'b', 'a', 'b']);
  });

  test('a cancelled message is not caught, but cleaned up', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        `
- try:
    steps: [ { call: { endpoint: a } } ]
    catch: [ { steps: [ { transform: '"caught"' } ] } ]
    finally: [ { call: { endpoint: b } } ]`,
        { flow: 'deadline: 1s' },
      ),
      { far: ({ endpoint }) => (endpoint === 'a' ? new Promise(() => {}) : undefined) },
    );
    const sent = assert.rejects(engine.send({ body: {} }), { code: 'deadline' });
    await engine.clock.advance(1000);
    await sent;
    assert.deepEqual(engine.called, ['a', 'b']);
  });
});

describe('fail', () => {
  test('without options lets the error that is being handled go on, after what was done about it', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow('- call: { endpoint: a }', {
        flow: 'onError: [ { steps: [ { log: { level: error, message: lost } }, { fail: {} } ] } ]',
      }),
      {
        far: () => {
          throw failure('timeout', { endpoint: 'a', ms: 1 });
        },
      },
    );
    await assert.rejects(engine.send(), { code: 'timeout', kind: 'transient', place: 'main/steps/0 call' });
    assert.ok(engine.log.lines.some((line) => line.message === 'lost'));
  });

  test('ends the message with a code of the file', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow('- fail: { code: out-of-stock, status: 409, detail: "no ${{ sku }} left", kind: permanent }'),
    );
    await assert.rejects(engine.send({ body: { sku: 'tea' } }), {
      code: 'out-of-stock',
      status: 409,
      kind: 'permanent',
      message: 'no tea left',
    });
  });
});

describe('delay', () => {
  test('waits, and a deadline ends the wait', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow('- delay: { for: 5s }\n- call: { endpoint: a }', { flow: 'deadline: 6s' }),
    );
    const first = engine.send({ body: {} });
    await engine.clock.advance(4999);
    assert.deepEqual(engine.called, []);
    await engine.clock.advance(1);
    await first;
    assert.deepEqual(engine.called, ['a']);
    const second = assert.rejects(engine.send({ body: {}, deadline: 100 }), { code: 'deadline' });
    await engine.clock.advance(100);
    await second;
  });
});
