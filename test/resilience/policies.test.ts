import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { customFailure, type Failure, failure, httpFailure } from '../../src/errors.ts';
import { type Engine, mainFlow, startEngine } from '../support/engine.ts';

const call = (path: string, more = ''): string => `- call: { endpoint: a, test: { path: "${path}" }${more} }`;

/** Fails with these one after the other, then answers. */
const failing = (...failures: readonly (() => Failure)[]): (() => { body: string }) => {
  let next = 0;
  return () => {
    const thrown = failures[next++];
    if (thrown) throw thrown();
    return { body: 'fine' };
  };
};

const down = (): Failure => failure('connection', { endpoint: 'a', detail: 'reset', sent: true });
const refused = (): Failure => failure('connection', { endpoint: 'a', detail: 'refused', sent: false });
const busy = (retryAfter: number) => (): Failure => httpFailure(503, { endpoint: 'a', retryAfter });

/** Sends, and lets time pass until it is settled. */
async function settled(engine: Engine): Promise<string> {
  let outcome: string | undefined;
  engine.send({ body: {} }).then(
    ({ body }) => {
      outcome = String(body);
    },
    (error: Failure) => {
      outcome = error.code;
    },
  );
  for (let i = 0; i < 1000 && outcome === undefined; i++) await engine.clock.advance(10);
  return outcome ?? 'nothing';
}

const start = (t: TestContext, policies: string, step = call('get')): Promise<Engine> =>
  startEngine(t, mainFlow(step, { policies, flow: 'deadline: 60s' }));

describe('retry', () => {
  test('repeats a call that failed for a moment, as often as it says', async (t) => {
    const engine = await start(t, 'retry: { maxAttempts: 3, delay: 100ms }');
    engine.far = failing(down, down);
    assert.equal(await settled(engine), 'fine');
    assert.equal(engine.calls.length, 3);
    engine.far = failing(down, down, down, down);
    assert.equal(await settled(engine), 'connection');
    assert.equal(engine.calls.length, 6);
  });

  test('a permanent error is not repeated', async (t) => {
    const engine = await start(t, 'retry: { maxAttempts: 3 }');
    engine.far = failing(() => httpFailure(404, { endpoint: 'a' }));
    assert.equal(await settled(engine), 'http-404');
    assert.equal(engine.calls.length, 1);
  });

  test('`on` says which errors are', async (t) => {
    const engine = await start(t, 'retry: { maxAttempts: 2, on: [out-of-paper] }');
    engine.far = failing(() => customFailure('out-of-paper', 'permanent', 500, 'no paper'));
    assert.equal(await settled(engine), 'fine');
    engine.far = failing(down);
    assert.equal(await settled(engine), 'connection');
  });

  test('the pause is drawn between nothing and a bound that grows up to maxDelay', async (t) => {
    const engine = await start(t, 'retry: { maxAttempts: 6, delay: 100ms, factor: 2, maxDelay: 300ms, budget: "off" }');
    const pauses: number[] = [];
    for (let i = 0; i < 40; i++) {
      engine.far = failing(down, down, down, down, down);
      await settled(engine);
    }
    const lines = engine.log.lines.filter(({ message, fields }) => message === 'retrying' && !('count' in fields));
    for (const [index, bound] of [100, 200, 300, 300, 300].entries()) {
      const drawn = lines
        .filter((line) => line.fields['attempt'] === index + 2)
        .map((line) => Number(line.fields['pauseMs']));
      pauses.push(...drawn);
      assert.ok(Math.max(...drawn) <= bound, `${Math.max(...drawn)} > ${bound}`);
      assert.ok(Math.max(...drawn) > bound * 0.7, 'and uses its room');
      assert.ok(Math.min(...drawn) < bound * 0.3, 'all of it');
    }
    assert.equal(pauses.length, 200);
  });

  describe('a call that changes something', () => {
    test('is not repeated when it may have been executed', async (t) => {
      const engine = await start(t, 'retry: { maxAttempts: 3 }', call('post'));
      engine.far = failing(down);
      assert.equal(await settled(engine), 'connection');
      assert.equal(engine.calls.length, 1);
    });

    test('is repeated when it surely was not sent', async (t) => {
      const engine = await start(t, 'retry: { maxAttempts: 3 }', call('post'));
      engine.far = failing(refused);
      assert.equal(await settled(engine), 'fine');
    });

    test('is repeated when its method, the step, or a key says that it may be', async (t) => {
      for (const step of [call('put'), call('post', ', idempotent: true'), call('post', ', idempotencyKey: "k1"')]) {
        const engine = await start(t, 'retry: { maxAttempts: 3 }', step);
        engine.far = failing(down);
        assert.equal(await settled(engine), 'fine', step);
        assert.equal(engine.calls.length, 2);
      }
    });

    test('that may have been executed stays so when the repeat never goes out: it is undone, its outcome is unknown', async (t) => {
      const book = call('book', ', idempotencyKey: "k1"');
      for (const [last, code] of [
        [refused, 'connection'],
        [() => httpFailure(409, { endpoint: 'a' }), 'http-409'],
      ] as const) {
        const kept = await start(t, 'retry: { maxAttempts: 2 }', book);
        kept.far = failing(down, last);
        const failed = assert.rejects(kept.send({ body: {} }), { code, outcome: 'unknown' });
        await kept.clock.advance(10_000);
        await failed;
        const undo = call(
          'book',
          ', idempotencyKey: "k1", compensate: [ { call: { endpoint: b, test: { path: cancel } } } ]',
        );
        const undone = await start(t, 'retry: { maxAttempts: 2 }', undo);
        undone.far = failing(down, last);
        const nothing = assert.rejects(undone.send({ body: {} }), { code, outcome: 'none' });
        await undone.clock.advance(10_000);
        await nothing;
        assert.deepEqual(undone.called, ['a book', 'a book', 'b cancel']);
      }
    });

    test('carries the same key each time; an empty key is an error', async (t) => {
      const engine = await start(t, 'retry: { maxAttempts: 3 }', call('post', ', idempotencyKey: "${{ order }}"'));
      engine.far = failing(down);
      const sent = engine.send({ body: { order: 'A1' } });
      await engine.clock.advance(5000);
      await sent;
      assert.deepEqual(
        engine.calls.map((one) => one.headers['idempotency-key']),
        ['A1', 'A1'],
      );
      await assert.rejects(engine.send({ body: {} }), { kind: 'permanent' });
    });
  });

  test('obeys Retry-After, and gives up at once when it asks for more than is allowed or left', async (t) => {
    const engine = await start(t, 'retry: { maxAttempts: 2, delay: 1ms, maxRetryAfter: 5s }');
    engine.far = failing(busy(3000));
    const sent = engine.send({ body: {} });
    await engine.clock.advance(2900);
    assert.equal(engine.calls.length, 1);
    await engine.clock.advance(100);
    assert.equal((await sent).body, 'fine');
    engine.far = failing(busy(5001));
    await assert.rejects(engine.send({ body: {} }), { code: 'http-503' });
    engine.far = failing(busy(2000));
    await assert.rejects(engine.send({ body: {}, deadline: 1500 }), { code: 'http-503' });
  });

  test('the budget ends a storm: one retry for ten calls, after a stock of 50', async (t) => {
    const engine = await start(t, 'retry: { maxAttempts: 2, delay: 1ms }');
    engine.far = () => {
      throw down();
    };
    for (let i = 0; i < 150; i++) await settled(engine);
    // 50 at start, and a tenth for each of the 150 calls.
    assert.ok(engine.calls.length <= 150 + 50 + 15, String(engine.calls.length));
    assert.ok(engine.calls.length >= 150 + 50, String(engine.calls.length));
    assert.ok(engine.log.lines.some((line) => line.message === 'not retried: the retry budget is spent'));
  });

  test('each attempt has its own timeout, all together the deadline', async (t) => {
    const engine = await start(t, 'retry: { maxAttempts: 10, delay: 0s }, timeout: 1s, deadline: 2500ms');
    engine.far = () => new Promise(() => {}) as never;
    assert.equal(await settled(engine), 'timeout');
    assert.equal(engine.calls.length, 3);
    assert.equal(engine.clock.monotonic(), 2500);
  });

  test('a body that may be sent twice is not relayed as a stream', async (t) => {
    const engine = await start(t, 'retry: {}');
    assert.equal(engine.needsWholeBody('main'), true);
    const other = await startEngine(t, mainFlow(call('get')));
    assert.equal(other.needsWholeBody('main'), false);
  });
});

describe('circuitBreaker', () => {
  const options = 'circuitBreaker: { failureRate: 50, window: 10s, minCalls: 4, openFor: 1s, probes: 1 }';

  test('calls nobody while it is open, and says so; then probes and closes', async (t) => {
    const engine = await start(t, options);
    engine.far = () => {
      throw down();
    };
    for (let i = 0; i < 4; i++) assert.equal(await settled(engine), 'connection');
    await assert.rejects(engine.send({ body: {} }), { code: 'circuit-open', kind: 'rejected', status: 503 });
    assert.equal(engine.calls.length, 4);
    await engine.clock.advance(1000);
    engine.far = failing();
    assert.equal(await settled(engine), 'fine');
    assert.equal(await settled(engine), 'fine');
    const changes = engine.log.lines.filter((line) => line.message === 'circuit breaker changed');
    assert.deepEqual(
      changes.map((line) => [line.level, line.fields['state']]),
      [
        ['warn', 'open'],
        ['info', 'half-open'],
        ['info', 'closed'],
      ],
    );
  });

  test('what the caller got wrong, and our own rejections and deadlines, open nothing', async (t) => {
    const engine = await start(t, options);
    const codes = [
      () => httpFailure(404, {}),
      () => httpFailure(429, {}),
      () => failure('rate-limited', {}),
      () => failure('deadline', {}),
      () => failure('aborted', {}),
    ];
    for (const thrown of [...codes, ...codes]) {
      engine.far = failing(thrown);
      await settled(engine);
    }
    engine.far = failing();
    assert.equal(await settled(engine), 'fine');
  });

  test('stands inside retry: every attempt counts', async (t) => {
    const engine = await start(t, `${options}, retry: { maxAttempts: 4, delay: 1ms }`);
    engine.far = () => {
      throw down();
    };
    assert.equal(await settled(engine), 'connection');
    await assert.rejects(engine.send({ body: {} }), { code: 'circuit-open' });
    assert.equal(engine.calls.length, 4);
  });
});

describe('bulkhead', () => {
  test('never more calls at the far side than `max`, and the others are told at once', async (t) => {
    const engine = await start(t, 'bulkhead: { max: 2 }');
    engine.far = () => new Promise(() => {}) as never;
    const running = [engine.send({ body: {} }), engine.send({ body: {} })].map((one) => one.catch(() => {}));
    await engine.clock.advance(0);
    await assert.rejects(engine.send({ body: {} }), { code: 'bulkhead-full', status: 503 });
    assert.equal(engine.calls.length, 2);
    await engine.clock.advance(30_000);
    await Promise.all(running);
    engine.far = failing();
    assert.equal(await settled(engine), 'fine');
  });

  test('time in line is not time of the attempt', async (t) => {
    const engine = await start(t, 'bulkhead: { max: 1, queue: 1, maxWait: 5s }, timeout: 1s');
    let release = (): void => {};
    engine.far = () =>
      new Promise((resolve) => {
        release = () => resolve({ body: 'fine' });
      }) as never;
    const first = engine.send({ body: {} });
    await engine.clock.advance(900);
    const second = engine.send({ body: {} });
    await engine.clock.advance(50);
    release();
    assert.equal((await first).body, 'fine');
    await engine.clock.advance(900);
    release();
    assert.equal((await second).body, 'fine');
  });
});

describe('rateLimit', () => {
  test('paces calls, refuses those that would wait too long', async (t) => {
    const engine = await start(t, 'rateLimit: { rate: 2/s, burst: 1, maxWait: 500ms }');
    engine.far = failing();
    const sent = [engine.send({ body: {} }), engine.send({ body: {} })];
    await assert.rejects(engine.send({ body: {} }), { code: 'rate-limited', status: 429 });
    await engine.clock.advance(500);
    await Promise.all(sent);
    assert.equal(engine.calls.length, 2);
  });
});
