import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failure, httpFailure } from '../../src/errors.ts';
import { type Far, mainFlow, startEngine } from '../support/engine.ts';

describe('call', () => {
  test('without `as` the answer becomes the message', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        `- call: { endpoint: a }\n- transform: '{ "got": $, "status": $response.status, "tag": $headers.etag }'`,
      ),
      {
        far: () => ({ status: 206, headers: { etag: '"1"' }, body: { n: 1 } }),
      },
    );
    assert.deepEqual((await engine.send({ body: { order: 1 } })).body, { got: { n: 1 }, status: 206, tag: '"1"' });
    assert.deepEqual(engine.calls[0]?.body, { order: 1 });
  });

  test('with `as` the body is kept and the answer has a name', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`- call: { endpoint: a, as: stock }\n- transform: '{ "sku": sku, "left": $stock.left }'`),
      {
        far: () => ({ body: { left: 4 } }),
      },
    );
    assert.deepEqual((await engine.send({ body: { sku: 'tea' } })).body, { sku: 'tea', left: 4 });
  });

  test('an answer without a body gives a name without a value', async (t) => {
    const engine = await startEngine(t, mainFlow(`- call: { endpoint: a, as: got }\n- transform: $exists($got)`));
    assert.equal((await engine.send({ body: {} })).body, false);
  });

  test('evaluates the options of the connector, and encodes each hole of a path as one segment', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        '- call: { endpoint: a, test: { path: "items/${{ id }}/x", what: { n: "${{ n }}", gone: "${{ nothing }}" } } }',
      ),
    );
    await engine.send({ body: { id: 'a/b?c', n: 2 } });
    assert.deepEqual(engine.calls[0]?.operation, {
      path: 'items/a%2Fb%3Fc/x',
      what: { n: 2 },
      bodyGiven: false,
      repeatable: false,
      answered: true,
    });
  });

  test('a hole of a path that yields nothing, or climbs, is an error and no call', async (t) => {
    const engine = await startEngine(t, mainFlow('- call: { endpoint: a, test: { path: "items/${{ id }}" } }'));
    await assert.rejects(engine.send({ body: {} }), { code: 'no-value' });
    await assert.rejects(engine.send({ body: { id: '..' } }), {
      code: 'bad-request',
      message: 'The message cannot be sent: a hole made a segment of the path `.` or `..`',
    });
    await assert.rejects(engine.send({ body: { id: 'a/../b' } }), { code: 'bad-request' });
    assert.deepEqual(engine.calls, []);
  });

  test('sends the body that the step gives, as JSON or as its content type says', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`
- call: { endpoint: a, as: x, body: { id: "\${{ id }}" } }
- call: { endpoint: a, as: y, headers: { Content-Type: application/xml }, body: { r: "\${{ id }}" } }`),
    );
    await engine.send({ body: { id: 1 } });
    assert.deepEqual(
      engine.calls.map((one) => [one.body, one.contentType]),
      [
        [{ id: 1 }, 'application/json'],
        [{ r: 1 }, 'application/xml'],
      ],
    );
  });

  test('fallback may end the flow, also where the answer is named', async (t) => {
    const down: Far = () => {
      throw failure('connection', { endpoint: 'a', detail: 'down' });
    };
    for (const as of ['', ', as: price']) {
      const flow = (end: string): string =>
        mainFlow(`- call: { endpoint: a${as}, fallback: [ ${end} ] }\n- transform: '"went on"'`);
      const answered = await startEngine(t, flow('{ respond: { status: 418 } }'), { far: down });
      assert.equal((await answered.send({ body: 1 })).status, 418);
      const stopped = await startEngine(t, flow('{ stop: {} }'), { far: down });
      assert.equal((await stopped.send({ body: 1 })).exchange, undefined);
    }
  });

  test('fallback runs instead of a failed call and sees the error', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        `- call: { endpoint: a, as: price, fallback: [ { transform: '{ "amount": 0, "why": $error.code }' } ] }\n- transform: $price`,
      ),
      {
        far: () => {
          throw httpFailure(503, { endpoint: 'a' });
        },
      },
    );
    assert.deepEqual((await engine.send({ body: {} })).body, { amount: 0, why: 'http-503' });
  });

  test('the endpoint has 30 seconds when the file says nothing, and a signal that tells the call so', async (t) => {
    const engine = await startEngine(t, mainFlow('- call: { endpoint: a }'), { far: () => new Promise(() => {}) });
    const sent = assert.rejects(engine.send({ body: {} }), {
      code: 'timeout',
      kind: 'transient',
      message: /a did not answer within 30000 ms/,
    });
    await engine.clock.advance(29_999);
    assert.equal(engine.calls[0]?.signal.aborted, false);
    await engine.clock.advance(1);
    await sent;
    assert.equal(engine.calls[0]?.signal.aborted, true);
  });

  test('the timeout of the endpoint is that of one call; the deadline of the flow is that of all', async (t) => {
    const yaml = mainFlow('- call: { endpoint: a }\n- call: { endpoint: b }', { flow: 'deadline: 3s' }).replace(
      'b: { test: {} }',
      'b: { test: {}, timeout: 2s }',
    );
    const engine = await startEngine(t, yaml);
    engine.far = ({ endpoint }) => (endpoint === 'b' ? new Promise(() => {}) : undefined);
    const first = assert.rejects(engine.send({ body: {} }), {
      code: 'timeout',
      message: /b did not answer within 2000 ms/,
    });
    await engine.clock.advance(2000);
    await first;
    engine.far = () => new Promise(() => {});
    const second = assert.rejects(engine.send({ body: {} }), { code: 'deadline' });
    await engine.clock.advance(3000);
    await second;
  });
});

describe('send', () => {
  test('is done when the far side has taken it; the message goes on unchanged', async (t) => {
    let taken = (): void => {};
    const engine = await startEngine(t, mainFlow('- send: { endpoint: out, body: { id: "${{ id }}" } }'), {
      far: () =>
        new Promise((resolve) => {
          taken = () => resolve(undefined);
        }),
    });
    let done = false;
    const sent = engine.send({ body: { id: 1 } }).then((reply) => {
      done = true;
      return reply;
    });
    await engine.clock.advance(0);
    assert.equal(done, false);
    taken();
    assert.deepEqual((await sent).body, { id: 1 });
    assert.deepEqual(engine.calls[0]?.body, { id: 1 });
  });

  test('its failure is the failure of the message', async (t) => {
    const engine = await startEngine(t, mainFlow('- send: { endpoint: out }'), {
      far: () => {
        throw failure('channel-full', { channel: 'x', capacity: 1 });
      },
    });
    await assert.rejects(engine.send({ body: {} }), { code: 'channel-full', kind: 'rejected' });
  });
});

describe('the outcome that an error tells', () => {
  const yaml = mainFlow(`
- call: { endpoint: a, as: x, test: { path: "\${{ $headers.first }}" } }
- call: { endpoint: b, as: y, test: { path: second } }`);
  const failing = async (t: import('node:test').TestContext, first: string, thrown: () => Error): Promise<string> => {
    const engine = await startEngine(t, yaml, {
      far: ({ endpoint }) => {
        if (endpoint === 'b') throw thrown();
        return undefined;
      },
    });
    try {
      await engine.send({ body: {}, headers: { first } });
    } catch (error) {
      return (error as { outcome: string }).outcome;
    }
    return 'no error';
  };
  const refused = (): Error => httpFailure(409, { endpoint: 'b' });

  test('none: nothing was done, for reading is no effect', async (t) => {
    assert.equal(await failing(t, 'get', refused), 'none');
  });
  test('partial: something before was done', async (t) => {
    assert.equal(await failing(t, 'post', refused), 'partial');
  });
  test('unknown: the call that failed may have been executed', async (t) => {
    assert.equal(
      await failing(t, 'get', () => failure('connection', { endpoint: 'b', detail: 'reset', sent: true })),
      'unknown',
    );
    assert.equal(await failing(t, 'post', () => failure('response-too-large', { endpoint: 'b', limit: 1 })), 'unknown');
  });
  test('none: the call that failed was surely not sent', async (t) => {
    assert.equal(
      await failing(t, 'get', () => failure('connection', { endpoint: 'b', detail: 'refused', sent: false })),
      'none',
    );
  });
});
