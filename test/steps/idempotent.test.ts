import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failure } from '../../src/errors.ts';
import { MemoryStore } from '../../src/store/memory.ts';
import type { Store, Write } from '../../src/store/store.ts';
import { integrationOf, post, problemOf, request, startIntegration, startService } from '../connectors/http/support.ts';
import { DyingStore } from '../support/dying-store.ts';
import { type Call, Engine, mainFlow, startEngine } from '../support/engine.ts';

const guarded = (rest: string, options = 'key: id'): string => `- idempotent: { ${options} }\n${rest}`;
const charge = '- call: { endpoint: a, test: { path: charge }, as: charged }';
const chargeAndRespond = `${charge}\n- respond: { status: 201, headers: { x-charge: "\${{ $charged.n }}" }, body: { n: "\${{ $charged.n }}" } }`;

/** Answers each call with its number. */
const counting = (): (() => { body: { n: number } }) => {
  let n = 0;
  return () => ({ body: { n: ++n } });
};

/** Lets an engine work until nothing moves any more. */
async function quiet(engine: Engine, ms = 10_000): Promise<void> {
  for (let i = 0; i < 20; i++) await engine.clock.advance(ms / 20);
}

const freshStore = (): MemoryStore => {
  const { clock, log } = new Engine(() => undefined);
  return new MemoryStore(clock, log);
};

describe('a message that comes again', () => {
  test('gets the reply of the first, and nothing is done twice', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(chargeAndRespond)), { far: counting() });
    const first = await engine.send({ body: { id: 'k1' } });
    const again = await engine.send({ body: { id: 'k1' } });
    assert.equal(first.status, 201);
    assert.deepEqual(
      [again.status, { ...again.headers }, again.body],
      [first.status, { ...first.headers }, first.body],
    );
    assert.deepEqual(engine.called, ['a charge']);
    assert.equal((await engine.send({ body: { id: 'k2' } })).headers['x-charge'], '2');
  });

  test('gets the body that a flow without `respond` ended with, and its headers', async (t) => {
    const steps = guarded(`- set: { headers: { x-tag: seven } }\n${charge}\n- transform: '{ "n": $charged.n }'`);
    const engine = await startEngine(t, mainFlow(steps), { far: counting() });
    const replies = [await engine.send({ body: { id: 1 } }), await engine.send({ body: { id: 1 } })];
    for (const reply of replies) {
      assert.equal(reply.status, undefined);
      assert.deepEqual(reply.body, { n: 1 });
      assert.equal(reply.headers['x-tag'], 'seven');
    }
  });

  test('is acknowledged quietly where the first was filtered, or stopped', async (t) => {
    for (const end of ['- stop: {}', '- filter: { when: "false" }']) {
      const engine = await startEngine(t, mainFlow(guarded(`${charge}\n${end}`)), { far: counting() });
      for (let i = 0; i < 2; i++) assert.equal((await engine.send({ body: { id: 1 } })).exchange, undefined);
      assert.equal(engine.calls.length, 1);
    }
  });

  test('is acknowledged quietly where nobody waits for an answer', async (t) => {
    const yaml = mainFlow(guarded(charge)).replace('from: { test: {} }', 'from: { oneway: {} }');
    const engine = await startEngine(t, yaml, { far: counting() });
    assert.notEqual((await engine.send({ body: { id: 1 } })).exchange, undefined);
    assert.equal((await engine.send({ body: { id: 1 } })).exchange, undefined);
    assert.equal(engine.calls.length, 1);
  });

  test('after `retain` is the first again', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(chargeAndRespond, 'key: id, retain: 1h')), {
      far: counting(),
    });
    await engine.send({ body: { id: 1 } });
    await engine.clock.advance(3_599_000);
    assert.deepEqual((await engine.send({ body: { id: 1 } })).body, { n: 1 });
    await engine.clock.advance(2_000);
    assert.deepEqual((await engine.send({ body: { id: 1 } })).body, { n: 2 });
  });

  test('a key of nothing is told: 400, and nothing was started', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(charge, 'key: "[id]"')), { far: counting() });
    for (const body of [{}, { id: [] }]) {
      await assert.rejects(engine.send({ body }), { code: 'no-key', kind: 'permanent', status: 400, outcome: 'none' });
    }
    assert.equal(engine.calls.length, 0);
  });

  test('a `when` lets messages without a key through unguarded', async (t) => {
    const steps = `- when: $exists(id)\n  idempotent: { key: id }\n${chargeAndRespond}`;
    const engine = await startEngine(t, mainFlow(steps), { far: counting() });
    for (let i = 0; i < 2; i++) await engine.send({ body: {} });
    assert.equal(engine.calls.length, 2);
    for (let i = 0; i < 2; i++) assert.deepEqual((await engine.send({ body: { id: 1 } })).body, { n: 3 });
  });
});

describe('another message with the same key', () => {
  test('is refused for good: 422', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(chargeAndRespond, 'key: $headers.key')), { far: counting() });
    const send = (body: unknown) => engine.send({ body, headers: { key: 'k' } });
    await send({ amount: 1, unit: 'eur' });
    await assert.rejects(send({ amount: 2, unit: 'eur' }), { code: 'key-reused', kind: 'permanent', status: 422 });
    // Equal values are equal, whatever the order of their keys.
    await send({ unit: 'eur', amount: 1 });
    assert.equal(engine.calls.length, 1);
  });

  test('bytes are compared as they are', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(charge, 'key: $headers.key')), { far: counting() });
    const send = (text: string) =>
      engine.send({ bytes: { text, contentType: 'application/json' }, headers: { key: 'k' } });
    await send('{"a":1}');
    await send('{"a":1}');
    await assert.rejects(send('{"a": 1}'), { code: 'key-reused' });
  });

  test('is another one in another flow, and for another step of the same', async (t) => {
    const yaml = mainFlow(`${guarded(charge)}\n- run: { flow: sub, as: x }`, {
      flows: `sub:\n  steps:\n    - idempotent: { key: id }\n    - call: { endpoint: b, test: { path: ship } }`,
    });
    const engine = await startEngine(t, yaml, { far: counting() });
    await engine.send({ body: { id: 1 } });
    await engine.send({ body: { id: 1 } });
    assert.deepEqual(engine.called, ['a charge', 'b ship']);
  });
});

describe('while the first is under way', () => {
  test('a repeat is sent away for a moment: 409, and nothing was started', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(`- delay: { for: 5s }\n${chargeAndRespond}`)), {
      far: counting(),
    });
    const first = engine.send({ body: { id: 1 } });
    await engine.clock.advance(1000);
    await assert.rejects(engine.send({ body: { id: 1 } }), {
      code: 'duplicate-in-flight',
      kind: 'rejected',
      status: 409,
      outcome: 'none',
      facts: { retryAfter: 1000 },
    });
    await engine.clock.advance(5000);
    assert.deepEqual((await first).body, { n: 1 });
    assert.deepEqual((await engine.send({ body: { id: 1 } })).body, { n: 1 });
    assert.equal(engine.calls.length, 1);
  });

  test('its key stays taken, however long it takes', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(guarded(`- delay: { for: 10m }\n${chargeAndRespond}`, 'key: id, inFlight: 3s'), {
        flow: 'deadline: 1h',
      }),
      { far: counting() },
    );
    const first = engine.send({ body: { id: 1 } });
    for (let i = 0; i < 59; i++) {
      await engine.clock.advance(10_000);
      await assert.rejects(engine.send({ body: { id: 1 } }), { code: 'duplicate-in-flight' });
    }
    await engine.clock.advance(10_000);
    await first;
    assert.equal(engine.calls.length, 1);
  });

  test('of many that come at once one is done, also on two processes with one store', async (t) => {
    const store = freshStore();
    const yaml = mainFlow(guarded(`- delay: { for: 1s }\n${chargeAndRespond}`));
    const one = await startEngine(t, yaml, { far: counting(), store });
    const other = await startEngine(t, yaml, { far: counting(), store, seed: 2 });
    const sent = [one, other, one, other, one].map((engine) => engine.send({ body: { id: 1 } }));
    const settled = Promise.allSettled(sent);
    await Promise.all([one.clock.advance(2000), other.clock.advance(2000)]);
    const codes = (await settled).map((result) => (result.status === 'fulfilled' ? 'done' : result.reason.code));
    assert.deepEqual(codes.toSorted(), ['done', ...Array(4).fill('duplicate-in-flight')]);
    assert.equal(one.calls.length + other.calls.length, 1);
    assert.deepEqual((await other.send({ body: { id: 1 } })).body, { n: 1 });
  });
});

describe('a message that failed', () => {
  test('frees its key', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(chargeAndRespond)));
    engine.far = () => {
      throw failure('connection', { endpoint: 'a', detail: 'reset' });
    };
    await assert.rejects(engine.send({ body: { id: 1 } }), { code: 'connection' });
    engine.far = counting();
    assert.deepEqual((await engine.send({ body: { id: 1 } })).body, { n: 1 });
  });

  test('frees its key, though `onError` answers', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(guarded('- fail: { code: no-luck }'), {
        flow: 'onError: [ { steps: [ { respond: { status: 202 } } ] } ]',
      }),
    );
    assert.equal((await engine.send({ body: { id: 1 } })).status, 202);
    assert.deepEqual((await engine.store.list('idempotent', { limit: 10 })).entries, []);
  });

  test('frees its key when it is given up', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(`- delay: { for: 20s }\n${charge}`)), { far: counting() });
    const late = assert.rejects(engine.send({ body: { id: 1 }, deadline: 5000 }), { code: 'deadline' });
    await engine.clock.advance(5000);
    await late;
    const again = engine.send({ body: { id: 1 } });
    await engine.clock.advance(20_000);
    await again;
    assert.equal(engine.calls.length, 1);
  });

  test('frees its key only after what it did was undone', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        guarded(
          '- call: { endpoint: a, test: { path: charge }, as: c, compensate: [ { delay: { for: 3s } }, { call: { endpoint: a, test: { path: refund } } } ] }\n- fail: { code: no-luck }',
        ),
      ),
      { far: counting() },
    );
    const first = assert.rejects(engine.send({ body: { id: 1 } }), { code: 'no-luck' });
    await engine.clock.advance(1000);
    await assert.rejects(engine.send({ body: { id: 1 } }), { code: 'duplicate-in-flight' });
    await engine.clock.advance(3000);
    await first;
    assert.deepEqual(engine.called, ['a charge', 'a refund']);
    const again = assert.rejects(engine.send({ body: { id: 1 } }), { code: 'no-luck' });
    await engine.clock.advance(4000);
    await again;
    assert.equal(engine.calls.length, 4);
  });

  test('an answer that asks to come again frees the key; another answer is kept', async (t) => {
    for (const [status, done] of [
      [503, 2],
      [429, 2],
      [409, 1],
    ] as const) {
      const engine = await startEngine(t, mainFlow(guarded(`${charge}\n- respond: { status: ${status} }`)), {
        far: counting(),
      });
      for (let i = 0; i < 2; i++) assert.equal((await engine.send({ body: { id: 1 } })).status, status);
      assert.equal(engine.calls.length, done, String(status));
    }
  });

  test('a round that was done, and undone because another failed, is done again', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`
- forEach:
    items: ids
    steps:
      - idempotent: { key: $ }
      - call: { endpoint: a, test: { path: "book-\${{ $string($) }}" }, as: x, compensate: [ { call: { endpoint: a, test: { path: "undo-\${{ $string($) }}" } } } ] }
      - when: $ = 2
        call: { endpoint: b, test: { path: check } }
`),
    );
    let fails = true;
    engine.far = ({ endpoint }: Call) => {
      if (endpoint === 'b' && fails) throw failure('timeout', { endpoint });
      return { body: {} };
    };
    await assert.rejects(engine.send({ body: { ids: [1, 2] } }), { code: 'timeout' });
    assert.deepEqual(engine.called, ['a book-1', 'a book-2', 'b check', 'a undo-2', 'a undo-1']);
    assert.deepEqual((await engine.store.list('idempotent', { limit: 10 })).entries, []);
    fails = false;
    engine.calls.length = 0;
    await engine.send({ body: { ids: [1, 2, 1] } });
    assert.deepEqual(engine.called, ['a book-1', 'a book-2', 'b check']);
  });
});

describe('rounds and sub-flows', () => {
  test('a round that repeats another yields the same, with the names that it gave', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`
- forEach:
    items: ids
    parallel: 4
    steps:
      - idempotent: { key: $ }
      - call: { endpoint: a, test: { path: "get-\${{ $string($) }}" }, as: got }
    collect: '{ "id": $, "n": $got.n }'
`),
      { far: ({ operation }) => ({ body: { n: String(operation['path']).length } }) },
    );
    const { body } = await engine.send({ body: { ids: [1, 22, 1, 22] } });
    const [one, two] = [
      { id: 1, n: 5 },
      { id: 22, n: 6 },
    ];
    assert.deepEqual(body, [one, two, one, two]);
    assert.equal(engine.calls.length, 2);
  });

  test('a sub-flow is done once, and its result is that of the first', async (t) => {
    const yaml = mainFlow('- run: { flow: pay, as: paid }\n- respond: { body: "${{ $paid }}" }', {
      flows: 'pay:\n  steps:\n    - idempotent: { key: id }\n    - call: { endpoint: a, test: { path: charge } }',
    });
    const engine = await startEngine(t, yaml, { far: counting() });
    for (let i = 0; i < 2; i++) assert.deepEqual((await engine.send({ body: { id: 1 } })).body, { n: 1 });
  });
});

describe('the store', () => {
  test('that cannot be written: nothing is started, and the key is free when it can be written again', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(chargeAndRespond)), { far: counting() });
    const write = engine.store.write.bind(engine.store);
    engine.store.write = async (batch) => {
      await write(batch);
      throw failure('store', { store: 'memory', detail: 'the answer was lost' });
    };
    await assert.rejects(engine.send({ body: { id: 1 } }), { code: 'store', status: 503 });
    assert.equal(engine.calls.length, 0);
    engine.store.write = write;
    await quiet(engine);
    assert.deepEqual((await engine.send({ body: { id: 1 } })).body, { n: 1 });
  });

  test('that fails when the reply is to be kept is asked again; it is not kept twice', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(chargeAndRespond)), { far: counting() });
    const write = engine.store.write.bind(engine.store);
    const fates = ['taken', 'fails before', 'fails after', 'conflict'];
    engine.store.write = async (batch: readonly Write[]) => {
      const fate = fates.shift();
      const written = fate === 'fails before' ? undefined : await write(batch);
      if (fate?.startsWith('fails')) throw failure('store', { store: 'memory', detail: fate });
      assert.equal(written?.written, fate === 'taken');
      return written ?? { written: false, conflict: 0 };
    };
    const sent = engine.send({ body: { id: 1 } });
    await quiet(engine);
    assert.deepEqual((await sent).body, { n: 1 });
    engine.store.write = write;
    assert.deepEqual((await engine.send({ body: { id: 1 } })).body, { n: 1 });
    assert.ok(!engine.log.lines.some((line) => /lost/.test(line.message)));
  });

  test('that cannot keep the reply at all: what was done is undone, and the sender hears of it', async (t) => {
    const steps =
      '- call: { endpoint: a, test: { path: charge }, as: c, compensate: [ { call: { endpoint: a, test: { path: refund } } } ] }';
    const engine = await startEngine(t, mainFlow(guarded(steps)), { far: counting() });
    const write = engine.store.write.bind(engine.store);
    engine.far = ({ operation }) => {
      engine.store.write = async () => {
        throw failure('store', { store: 'memory', detail: 'disk full', sent: false });
      };
      return { body: operation['path'] };
    };
    const sent = assert.rejects(engine.send({ body: { id: 1 } }), { code: 'store', outcome: 'none' });
    await quiet(engine);
    await sent;
    assert.deepEqual(engine.called, ['a charge', 'a refund']);
    engine.store.write = write;
    await quiet(engine, 60_000);
    assert.deepEqual((await engine.store.list('idempotent', { limit: 10 })).entries, []);
  });

  test('a reply that is too large for it is not said again; nor is anything done again', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded('- call: { endpoint: a, test: { path: large } }')), {
      far: () => ({ body: 'x'.repeat(17 * 1024 * 1024) }),
    });
    await engine.send({ body: { id: 1 } });
    await assert.rejects(engine.send({ body: { id: 1 } }), { code: 'reply-not-kept', kind: 'permanent', status: 410 });
    assert.equal(engine.calls.length, 1);
  });

  test('holds nobody’s keys in the clear', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(chargeAndRespond)), { far: counting() });
    await engine.send({ body: { id: 'ada@example.org' } });
    const { entries } = await engine.store.list('idempotent', { limit: 10 });
    assert.equal(entries.length, 1);
    assert.match(String(entries[0]?.key), /^main\/idempotent\/1 [\w-]{43}$/);
    assert.doesNotMatch(Buffer.from(entries[0]?.value ?? []).toString(), /ada/);
  });
});

describe('a process that dies', () => {
  test('while the message is under way: the key frees itself after `inFlight`', async (t) => {
    const yaml = mainFlow(guarded(chargeAndRespond, 'key: id, inFlight: 30s'));
    const store = freshStore();
    const dying = new DyingStore(store, { at: 2, when: 'before' });
    const first = await startEngine(t, yaml, { store: dying, far: counting() });
    first.send({ body: { id: 1 } }).catch(() => {});
    await quiet(first);
    assert.ok(dying.dead);
    const { clock, log } = new Engine(() => undefined);
    const second = await startEngine(t, yaml, { store: await copied(store, new MemoryStore(clock, log)), seed: 2 });
    second.far = counting();
    await assert.rejects(second.send({ body: { id: 1 } }), { code: 'duplicate-in-flight' });
    await clock.advance(30_000);
    assert.equal((await second.send({ body: { id: 1 } })).status, 201);
  });

  test('on a store that nobody else can have open: the next process knows at once that nobody is busy with it', async (t) => {
    const yaml = mainFlow(guarded(chargeAndRespond, 'key: id, inFlight: 30s'));
    const opened = (session: string): Store => Object.assign(freshStore(), { session });
    const before = opened('one');
    const first = await startEngine(t, yaml, { store: before, far: () => new Promise(() => {}) as never });
    first.send({ body: { id: 1 } }).catch(() => {});
    await quiet(first);
    // Still the same process: somebody is busy.
    await assert.rejects(first.send({ body: { id: 1 } }), { code: 'duplicate-in-flight' });
    const second = await startEngine(t, yaml, { store: await copied(before, opened('two')), seed: 2, far: counting() });
    assert.equal((await second.send({ body: { id: 1 } })).status, 201);
  });

  for (const when of ['before', 'after'] as const) {
    test(`at any write of a durable message, ${when} it: once done, a repeat gets the reply, and nothing is done twice`, async (t) => {
      const yaml = mainFlow(guarded(chargeAndRespond), { flow: 'durable: true' });
      for (let at = 1; ; at++) {
        const far = counting();
        const store = freshStore();
        const dying = new DyingStore(store, { at, when });
        const first = await startEngine(t, yaml, {
          store: dying,
          far: (): ReturnType<typeof far> => (dying.dead ? (new Promise(() => {}) as never) : far()),
        });
        first.send({ body: { id: 1 } }).catch(() => {});
        await quiet(first);
        const begun = at > 1 || when === 'after';
        const second = await startEngine(t, yaml, { store, seed: 2, far });
        await quiet(second);
        const where = `killed ${when} write ${at}`;
        const reply = await second.send({ body: { id: 1 } }).catch((error) => error.code);
        // The intent is on disk, and nobody can say whether the charge was made: its message failed, and freed the key.
        if (reply.status !== 201) assert.fail(`${where}: ${reply}`);
        const unknown = second.log.lines.some((line) => line.fields['code'] === 'unknown-outcome');
        assert.deepEqual(reply.body, { n: unknown && first.calls.length > 0 ? 2 : 1 }, where);
        assert.equal(first.calls.length + second.calls.length, unknown && first.calls.length > 0 ? 2 : 1, where);
        assert.ok(begun || !dying.dead || second.calls.length === 1, where);
        if (!dying.dead) {
          assert.ok(at >= 7, `only ${at} writes`);
          break;
        }
      }
    });
  }
});

async function copied(from: Store, to: Store): Promise<Store> {
  const { entries } = await from.list('idempotent', { limit: 100 });
  for (const { key, value, ttl } of entries) await to.write([{ op: 'put', space: 'idempotent', key, value, ttl }]);
  return to;
}

describe('over HTTP', () => {
  const flow = (steps: string, from = 'http: { method: POST, path: /orders }') =>
    integrationOf({ main: { from, steps: `- idempotent: { key: '$headers."idempotency-key"' }\n${steps}` } });

  test('a repeat is answered byte for byte; who comes meanwhile is told when to come again', async (t) => {
    const { url, runtime } = await startIntegration(
      t,
      flow(
        '- delay: { for: 300ms }\n- respond: { status: 201, headers: { location: "/orders/${{ $uuid() }}", content-type: "application/vnd.order+json" }, body: { at: "${{ $now() }}", who: "é" } }',
      ),
    );
    const send = (body: unknown, key = 'k1') => post(`${url}/orders`, body, { 'idempotency-key': key });
    const pending = send({ sku: 'tea' });
    while (runtime.inFlight === 0) await new Promise(setImmediate);
    const meanwhile = await send({ sku: 'tea' });
    assert.equal(meanwhile.status, 409);
    assert.equal(meanwhile.headers['retry-after'], '1');
    assert.deepEqual(
      { ...problemOf(meanwhile), detail: '' },
      { status: 409, code: 'duplicate-in-flight', outcome: 'none', detail: '' },
    );
    const first = await pending;
    const again = await send({ sku: 'tea' });
    assert.equal(first.status, 201);
    assert.equal(again.text, first.text);
    const ignored = { date: '', 'x-request-id': '' };
    assert.deepEqual({ ...again.headers, ...ignored }, { ...first.headers, ...ignored });
    assert.equal(problemOf(await send({ sku: 'milk' })).status, 422);
    const { status, detail } = problemOf(await post(`${url}/orders`, {}));
    assert.deepEqual([status, detail], [400, 'The message has no key: $headers."idempotency-key" yielded nothing']);
  });

  test('a large answer that the flow relays is kept and said again', async (t) => {
    const bytes = Buffer.alloc(300_000, 'a\u0000\u00ff', 'latin1');
    const service = await startService(t, (_, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      response.end(bytes);
    });
    const yaml = integrationOf(
      {
        main: {
          from: 'http: { method: POST, path: /orders }',
          steps: `- idempotent: { key: '$headers."idempotency-key"' }\n- call: { endpoint: far }`,
        },
      },
      `far: { http: { url: ${service.url} } }`,
    );
    const { url } = await startIntegration(t, yaml);
    for (let i = 0; i < 2; i++) {
      const response = await fetch(`${url}/orders`, { method: 'POST', headers: { 'idempotency-key': 'k' } });
      assert.equal(response.headers.get('content-type'), 'application/octet-stream');
      assert.equal(Buffer.compare(Buffer.from(await response.arrayBuffer()), bytes), 0);
    }
    assert.equal(service.requests.length, 1);
  });

  test('the path and the query are part of the request, whatever its key says', async (t) => {
    const { url } = await startIntegration(
      t,
      flow('- respond: { body: { id: "${{ $params.id }}" } }', 'http: { method: PUT, path: "/orders/{id}" }'),
    );
    const put = (path: string) =>
      request(url + path, { method: 'PUT', headers: { 'idempotency-key': 'k' }, body: '{}' });
    assert.equal((await put('/orders/1')).status, 200);
    assert.equal((await put('/orders/1')).status, 200);
    assert.equal((await put('/orders/2')).status, 422);
    assert.equal((await put('/orders/1?dry=yes')).status, 422);
  });

  test('a HEAD is as good as a GET, and says how long the body is', async (t) => {
    const { url } = await startIntegration(
      t,
      flow('- respond: { body: { at: "${{ $now() }}" } }', 'http: { method: GET, path: /now }'),
    );
    const headers = { 'idempotency-key': 'k' };
    const head = await request(`${url}/now`, { method: 'HEAD', headers });
    const get = await request(`${url}/now`, { headers });
    assert.equal(head.status, 200);
    assert.equal(head.headers['content-length'], String(get.text.length));
    assert.equal((await request(`${url}/now`, { headers })).text, get.text);
  });

  test('a flow that ends with nothing is 204, again and again', async (t) => {
    const { url } = await startIntegration(t, flow('- stop: {}'));
    for (let i = 0; i < 2; i++) {
      assert.equal((await post(`${url}/orders`, {}, { 'idempotency-key': 'k' })).status, 204);
    }
  });
});

describe('definitions', () => {
  const warnings = async (t: Parameters<typeof startEngine>[0], steps: string) =>
    (await startEngine(t, mainFlow(steps))).diagnostics.map((one) => `${one.code} ${one.pointer}`);

  test('a key that does not depend on the message is told of', async (t) => {
    for (const key of ['"\'orders\'"', '$uuid()', '$config.NAME', '$now()']) {
      const yaml = mainFlow(guarded(charge, `key: ${key}`)).replace(
        'endpoints:',
        'config: { NAME: { default: x } }\nendpoints:',
      );
      const { diagnostics } = await startEngine(t, yaml);
      assert.deepEqual(
        diagnostics.map((one) => one.code),
        ['constant-key'],
        key,
      );
    }
    assert.deepEqual(await warnings(t, guarded(charge, 'key: \'$headers."idempotency-key"\'')), []);
  });

  test('one that guards nothing is told of', async (t) => {
    assert.deepEqual(await warnings(t, `${charge}\n- idempotent: { key: id }`), [
      'guards-nothing /flows/main/steps/1/idempotent',
    ]);
  });

  test('inside of another step it is a mistake: the rest of the flow is more than it could guard', async (t) => {
    for (const steps of [
      `- group:\n    steps:\n      - idempotent: { key: id }\n      ${charge}`,
      `- try:\n    steps: [ { log: { message: x } } ]\n    catch: [ { steps: [ { idempotent: { key: id } }, { stop: {} } ] } ]`,
    ]) {
      await assert.rejects(startEngine(t, mainFlow(steps)), /guards-a-part: `idempotent` guards the rest of its flow/);
    }
  });
});
