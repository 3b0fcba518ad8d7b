import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failure, httpFailure } from '../../../src/errors.ts';
import { flowOf, reload, startBench } from './support.ts';

const call = '- call: { endpoint: a, test: { path: put-it } }';
const down = (): never => {
  throw failure('connection', { endpoint: 'a', detail: 'refused', sent: false });
};

describe('a message of a source that settles', () => {
  test('is acknowledged when it is done', async (t) => {
    const { engine, broker, publish, bodies } = await startBench(t, flowOf(call));
    publish({ n: 1 });
    publish({ n: 2 });
    await engine.clock.advance(0);
    assert.deepEqual(bodies(), [{ n: 1 }, { n: 2 }]);
    assert.equal(broker.depth('work'), 0);
  });

  test('is not acknowledged before', async (t) => {
    const { engine, broker, publish } = await startBench(t, flowOf(call), {
      far: () => new Promise(() => {}) as never,
    });
    publish({ n: 1 });
    await engine.clock.advance(1000);
    assert.equal(broker.unacknowledged('work'), 1);
  });

  test('one after the other, in order, where the flow says nothing', async (t) => {
    let running = 0;
    let most = 0;
    const { engine, publish, bodies } = await startBench(t, flowOf(call), {
      far: async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        return {};
      },
    });
    for (let n = 0; n < 30; n++) publish(n);
    for (let i = 0; i < 100; i++) await engine.clock.advance(0);
    assert.equal(most, 1);
    assert.deepEqual(
      bodies(),
      Array.from({ length: 30 }, (_, n) => n),
    );
  });

  test('up to `concurrency` side by side', async (t) => {
    const { engine, publish, bodies } = await startBench(t, flowOf(call, 'concurrency: 3'), {
      far: () => new Promise(() => {}) as never,
    });
    for (let n = 0; n < 30; n++) publish(n);
    await engine.clock.advance(0);
    assert.deepEqual(bodies(), [0, 1, 2]);
  });

  test('that fails for a moment comes again later, as the next attempt, and others go on meanwhile', async (t) => {
    let failures = 2;
    const attempts: unknown[] = [];
    const steps = '- call: { endpoint: a, test: { path: put-it, what: "${{ $exchange.attempt }}" } }';
    const { engine, broker, publish, bodies, lines } = await startBench(t, flowOf(steps), {
      far: ({ body, operation }) => {
        if (body !== 1) return {};
        attempts.push(operation['what']);
        if (failures-- > 0) throw failure('timeout', { endpoint: 'a', ms: 1 });
        return {};
      },
    });
    publish(1);
    publish(2);
    await engine.clock.advance(0);
    assert.deepEqual(bodies(), [1, 2]);
    assert.equal(broker.depth('work'), 1);
    await engine.clock.advance(60_000);
    assert.deepEqual(attempts, [1, 2, 3]);
    assert.equal(broker.depth('work'), 0);
    assert.deepEqual(lines('warn'), ['a message will be redelivered', 'a message will be redelivered']);
    assert.deepEqual(lines('error'), []);
  });

  test('whose attempts are used up is moved to the store, with its bytes, and acknowledged', async (t) => {
    const { engine, broker, publish, lines } = await startBench(t, flowOf(call, 'redelivery: { maxAttempts: 3 }'), {
      far: down,
    });
    publish({ n: 1 }, { bytes: '{ "n" : 1 }', headers: { kind: 'odd' } });
    await engine.clock.advance(600_000);
    assert.equal(engine.calls.length, 3);
    assert.equal(broker.depth('work'), 0);
    assert.deepEqual(lines('error'), ['a message was moved to the dead letters']);
    const facts = engine.log.lines.find(({ level }) => level === 'error')?.fields;
    assert.equal(facts?.['code'], 'connection');
    assert.equal(facts?.['attempts'], 3);
    assert.equal(facts?.['place'], 'main/steps/0 call');
  });

  test('that can never succeed is moved at once', async (t) => {
    const { engine, broker, publish, lines } = await startBench(t, flowOf('- validate: { schema: { type: object } }'));
    publish('no object');
    await engine.clock.advance(0);
    assert.equal(broker.depth('work'), 0);
    assert.deepEqual(lines('error'), ['a message was moved to the dead letters']);
  });

  test('that cannot be read is moved at once', async (t) => {
    const { engine, broker, publish } = await startBench(t, flowOf("- transform: '$.a'"));
    publish(0, { bytes: '{ broken' });
    await engine.clock.advance(0);
    assert.equal(broker.depth('work'), 0);
    assert.equal(engine.log.lines.find(({ level }) => level === 'error')?.fields['code'], 'malformed');
  });

  test('that the broker has handed over too often is moved without being run', async (t) => {
    const { engine, broker, publish } = await startBench(t, flowOf(call, 'redelivery: { maxAttempts: 3 }'));
    publish(1, { attempt: 3 });
    publish(2, { attempt: 4 });
    await engine.clock.advance(0);
    assert.deepEqual(
      engine.calls.map(({ body }) => body),
      [1],
    );
    assert.equal(broker.depth('work'), 0);
    const facts = engine.log.lines.find(({ level }) => level === 'error')?.fields;
    assert.equal(facts?.['code'], 'interrupted');
    assert.equal(facts?.['attempts'], 3);
  });

  test('that went back again and again without being begun, as by restarts, is run all the same', async (t) => {
    const { engine, publish, bodies, lines } = await startBench(t, flowOf(call, 'redelivery: { maxAttempts: 3 }'), {
      countsDeliveries: true,
    });
    publish(1, { attempt: 4 });
    publish(2, { attempt: 10 });
    publish(3, { attempt: 11 });
    await engine.clock.advance(0);
    assert.deepEqual(bodies(), [1, 2]);
    assert.deepEqual(lines('error'), ['a message was moved to the dead letters']);
  });

  test('that is refused because somebody is busy waits with its turn, and no attempt is counted', async (t) => {
    let open = true;
    const { engine, broker, publish, bodies, lines } = await startBench(
      t,
      flowOf(call, 'redelivery: { maxAttempts: 1 }'),
      {
        far: () => {
          if (open) throw failure('circuit-open', { endpoint: 'a', ms: 5000, retryAfter: 5000 });
          return {};
        },
      },
    );
    publish(1);
    publish(2);
    await engine.clock.advance(4_900);
    assert.deepEqual(bodies(), [1], 'the second is not tried in vain');
    await engine.clock.advance(60_000);
    open = false;
    await engine.clock.advance(120_000);
    assert.deepEqual(bodies().slice(-2), [1, 2]);
    assert.equal(broker.depth('work'), 0);
    assert.deepEqual(lines('error'), []);
    assert.deepEqual([...new Set(lines('warn'))], ['messages wait for what is busy']);
    assert.ok(lines('warn').length <= 4, 'once a minute');
  });

  test('is read anew by each attempt: what one made of its value is not seen by the next', async (t) => {
    let failures = 2;
    const { engine, publish, bodies } = await startBench(
      t,
      flowOf('- script: { module: ./spoil.js }\n- call: { endpoint: a, test: { path: put-it } }'),
      {
        files: { 'spoil.js': 'export default (order) => { order.n++; return order; };\n' },
        far: () => {
          if (failures-- > 1) throw failure('rate-limited', { endpoint: 'a', rate: '1/s' });
          return failures === 0 ? down() : {};
        },
      },
    );
    publish({ n: 1 });
    await engine.clock.advance(300_000);
    assert.deepEqual(bodies(), [{ n: 2 }, { n: 2 }, { n: 2 }]);
  });

  test('is left to the far side for a longer wait, where that can be', async (t) => {
    let failing = true;
    const steps = '- call: { endpoint: a, test: { path: put-it, what: "${{ $exchange.attempt }}" } }';
    const settings = 'redelivery: { delay: 1h, maxDelay: 1h }';
    const { engine, broker, publish } = await startBench(t, flowOf(steps, settings), {
      postpones: true,
      far: () => (failing ? down() : {}),
    });
    publish(1);
    await engine.clock.advance(0);
    assert.equal(broker.unacknowledged('work'), 0, 'it is not here');
    failing = false;
    await engine.clock.advance(3_600_000);
    assert.deepEqual(
      engine.calls.map(({ operation }) => operation['what']),
      [1, 2],
    );
    assert.equal(broker.depth('work'), 0);
  });

  test('of a lane waits here, whatever the far side can', async (t) => {
    const settings = 'redelivery: { delay: 1h, maxDelay: 1h }\norderBy: k';
    const { engine, broker, publish } = await startBench(t, flowOf(call, settings), { postpones: true, far: down });
    publish({ k: 1 });
    await engine.clock.advance(1);
    assert.equal(broker.unacknowledged('work'), 1);
  });
});

describe('the log, while a far side is down', () => {
  test('has a few lines for thousands of attempts, and one when it is back', async (t) => {
    const settings = 'redelivery: { maxAttempts: 1000, delay: 100ms, factor: 1 }\nconcurrency: 50';
    let broken = true;
    const { engine, publish } = await startBench(t, flowOf(call, settings), {
      far: () => (broken ? down() : {}),
    });
    for (let n = 0; n < 50; n++) publish(n);
    await engine.clock.advance(30_000);
    const attempts = engine.calls.length;
    assert.ok(attempts > 5_000, `${attempts} attempts`);
    const told = () => engine.log.lines.filter(({ level }) => level !== 'debug' && level !== 'info');
    assert.equal(told().length, 1);
    const detailed = engine.log.lines.filter(({ message }) => message === 'a message will be redelivered');
    assert.equal(detailed.length, attempts, 'the others stand at debug');
    broken = false;
    await engine.clock.advance(600_000);
    const back = engine.log.lines.filter(({ message }) => message === 'messages go through again');
    assert.equal(back.length, 1);
    assert.equal(back[0]?.fields['count'], attempts);
  });

  test('has one line for letters of the same reason, and how many more there were', async (t) => {
    const { engine, publish } = await startBench(t, flowOf('- fail: { code: odd }'));
    for (let n = 0; n < 200; n++) publish(n);
    await engine.clock.advance(61_000);
    const told = engine.log.lines.filter(({ level }) => level === 'error');
    assert.deepEqual(
      told.map(({ message, fields }) => [message, fields['count']]),
      [
        ['a message was moved to the dead letters', undefined],
        ['a message was moved to the dead letters', 199],
      ],
    );
  });
});

describe('orderBy', () => {
  test('keeps messages of one key in order, and a retry holds up its own key only', async (t) => {
    let failures = 1;
    const { engine, broker, publish, bodies } = await startBench(t, flowOf(call, 'orderBy: k\nconcurrency: 2'), {
      far: ({ body }) => {
        if ((body as { readonly n: number }).n === 1 && failures-- > 0) return down();
        return {};
      },
    });
    for (const message of [
      { k: 'a', n: 1 },
      { k: 'a', n: 2 },
      { k: 'b', n: 3 },
      { k: 'b', n: 4 },
    ]) {
      publish(message);
    }
    await engine.clock.advance(0);
    assert.deepEqual(
      bodies().map((body) => (body as { readonly n: number }).n),
      [1, 3, 4],
    );
    await engine.clock.advance(60_000);
    assert.deepEqual(
      bodies().map((body) => (body as { readonly n: number }).n),
      [1, 3, 4, 1, 2],
    );
    assert.equal(broker.depth('work'), 0);
  });

  test('a message without a key is a dead letter', async (t) => {
    const { engine, broker, publish, bodies } = await startBench(t, flowOf(call, 'orderBy: k'));
    publish({ n: 1 });
    publish({ n: 2, k: 'a' });
    publish(0, { bytes: '{ broken' });
    await engine.clock.advance(0);
    assert.deepEqual(bodies(), [{ n: 2, k: 'a' }]);
    assert.equal(broker.depth('work'), 0);
    const failed = engine.log.lines.filter(({ level }) => level === 'error');
    assert.deepEqual(failed.map(({ fields }) => `${fields['code']} at ${fields['place']}`).sort(), [
      'malformed at main/orderBy',
      'no-key at main/orderBy',
    ]);
  });

  test('the lanes of the source hold where the flow says nothing', async (t) => {
    let failures = 1;
    const { engine, publish, bodies } = await startBench(t, flowOf(call, 'concurrency: 5'), {
      far: ({ body }) => (body === 1 && failures-- > 0 ? down() : {}),
    });
    publish(1, { lane: 'p0' });
    publish(2, { lane: 'p0' });
    publish(3, { lane: 'p1' });
    await engine.clock.advance(0);
    assert.deepEqual(bodies(), [1, 3]);
    await engine.clock.advance(60_000);
    assert.deepEqual(bodies(), [1, 3, 1, 2]);
  });
});

describe('deadLetter', () => {
  const parked = 'deadLetter: { endpoint: parked }\nredelivery: { maxAttempts: 1 }';

  test('sends the bytes and headers as they came, and says what happened', async (t) => {
    const { engine, broker, publish } = await startBench(t, flowOf(call, parked), { far: down });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    publish(0, { bytes: '<a/>', contentType: 'application/xml', headers: { kind: 'odd', traceparent } });
    await engine.clock.advance(0);
    assert.equal(broker.depth('work'), 0);
    const [letter] = broker.messages('parked');
    assert.equal(Buffer.from(letter?.bytes ?? []).toString(), '<a/>');
    assert.equal(letter?.contentType, 'application/xml');
    const { 'dowel-message-id': id, ...headers } = { ...letter?.headers };
    assert.match(String(id), /^[\da-f-]{36}$/);
    assert.deepEqual(headers, {
      kind: 'odd',
      traceparent,
      'dowel-integration': 'tried',
      'dowel-version': '1.2.3',
      'dowel-flow': 'main',
      'dowel-error-place': 'main/steps/0 call',
      'dowel-error-code': 'connection',
      'dowel-error-kind': 'transient',
      'dowel-error-detail': 'a could not be reached: refused',
      'dowel-attempts': '1',
      'dowel-received-at': '2026-01-01T00:00:00.000Z',
      'dowel-failed-at': '2026-01-01T00:00:00.000Z',
      'dowel-trace-id': '0af7651916cd43dd8448eb211c80319c',
    });
  });

  test('can say itself what is sent, and sees the error and the message', async (t) => {
    const settings = [
      'redelivery: { maxAttempts: 1 }',
      'deadLetter:',
      '  endpoint: parked',
      '  memory: { tag: "${{ $error.code }}" }',
      '  headers: { who: "${{ $.name }}", kind: none }',
      '  body: { why: "${{ $error.message }}", what: "${{ $ }}" }',
    ].join('\n');
    const { engine, broker, publish } = await startBench(t, flowOf(call, settings), { far: down });
    publish({ name: 'ann' }, { headers: { kind: 'odd', 'content-type': 'application/json', 'content-encoding': 'x' } });
    await engine.clock.advance(0);
    const [letter] = broker.messages('parked');
    assert.deepEqual(JSON.parse(broker.texts('parked')[0] ?? ''), {
      why: 'a could not be reached: refused',
      what: { name: 'ann' },
    });
    assert.equal(letter?.headers['tag'], 'connection');
    assert.equal(letter?.headers['who'], 'ann');
    assert.equal(letter?.headers['kind'], 'none');
    assert.equal(letter?.headers['content-encoding'], undefined);
  });

  test('sees the event that the message is, and takes along the message as it came', async (t) => {
    const letter = 'endpoint: parked, memory: { tag: "${{ $event.type }}" }, headers: { id: "${{ $event.id }}" }';
    const yaml = flowOf(call, `redelivery: { maxAttempts: 1 }\ndeadLetter: { ${letter} }`).replace(
      'from: { memory: { queue: work } }',
      'from: { memory: { queue: work }, cloudEvents: {} }',
    );
    const { engine, broker, publish } = await startBench(t, yaml, { far: down });
    const event = { specversion: '1.0', id: 'e1', source: '/shop', type: 'order.paid', data: { n: 1 } };
    const text = JSON.stringify(event, undefined, 2);
    publish(0, { bytes: text, contentType: 'application/cloudevents+json' });
    publish(0, { bytes: '{"no":"event"}', contentType: 'application/cloudevents+json' });
    await engine.clock.advance(0);
    const [sent] = broker.messages('parked');
    assert.deepEqual([sent?.headers['tag'], sent?.headers['id']], ['order.paid', 'e1']);
    assert.deepEqual([broker.texts('parked')[0], sent?.contentType], [text, 'application/cloudevents+json']);
    const [, other] = broker.messages('parked');
    assert.equal(other?.headers['dowel-error-code'], 'malformed', 'what is no event has none');
    assert.equal(other?.headers['id'], undefined);
  });

  test('does not pass on what lets somebody in', async (t) => {
    const { engine, broker, publish } = await startBench(t, flowOf(call, parked), { far: down });
    publish(1, { headers: { authorization: 'Bearer x', cookie: 'a=b', host: 'h', kept: 'yes' } });
    await engine.clock.advance(0);
    const headers = broker.messages('parked')[0]?.headers ?? {};
    assert.deepEqual(
      Object.keys(headers).filter((name) => !name.startsWith('dowel-') && name !== 'traceparent'),
      ['kept'],
    );
  });

  test('while it cannot be sent the message stays, and one line says why', async (t) => {
    const yaml = flowOf(call, 'deadLetter: { endpoint: b }\nredelivery: { maxAttempts: 1 }', '  b: { test: {} }');
    let broken = true;
    const { engine, broker, publish, lines } = await startBench(t, yaml, {
      far: ({ endpoint }) => (endpoint === 'a' || broken ? down() : {}),
    });
    publish(1);
    publish(2);
    await engine.clock.advance(600_000);
    assert.equal(broker.unacknowledged('work'), 2);
    assert.deepEqual(lines('error'), ['a dead letter could not be kept: its message stays unacknowledged']);
    broken = false;
    await engine.clock.advance(600_000);
    assert.equal(broker.depth('work'), 0);
    assert.equal(engine.calls.filter(({ endpoint }) => endpoint === 'a').length, 2, 'they are not run again');
  });

  test('that cannot be sent goes back with its message when the process stops', async (t) => {
    const yaml = flowOf(call, 'deadLetter: { endpoint: b }\nredelivery: { maxAttempts: 1 }', '  b: { test: {} }');
    const { engine, broker, publish } = await startBench(t, yaml, { far: down });
    publish(1);
    await engine.clock.advance(1000);
    const stopped = engine.runtime?.stop(10_000);
    await engine.clock.advance(20_000);
    assert.equal(await stopped, 0);
    assert.deepEqual(broker.texts('work'), ['1']);
  });

  for (const code of ['validation', 'bad-request', 'too-large', 'refused', 'http-404'] as const) {
    test(`that its endpoint will never take (${code}) goes to the store, and holds up nobody of its lane`, async (t) => {
      const settings = 'deadLetter: { endpoint: b }\nredelivery: { maxAttempts: 1 }\norderBy: \'"all"\'';
      const facts = { detail: 'no', limit: 1, what: 'The message', endpoint: 'b' };
      const { engine, broker, publish, lines } = await startBench(t, flowOf(call, settings, '  b: { test: {} }'), {
        far: ({ endpoint, body }) => {
          if (endpoint === 'a' && body === 3) return {};
          if (endpoint === 'a') return down();
          throw code === 'http-404' ? httpFailure(404, facts) : failure(code, facts, { kind: 'permanent' });
        },
      });
      publish(1);
      publish(2);
      publish(3);
      await engine.clock.advance(0);
      assert.equal(broker.depth('work'), 0);
      assert.equal(engine.calls.filter(({ endpoint }) => endpoint === 'b').length, 2);
      assert.equal(engine.log.lines.filter(({ fields }) => fields['to'] === 'the store').length, 2);
      assert.deepEqual(lines('error').slice(0, 2), [
        'a dead letter cannot be sent as the file says: it goes to the store',
        'a message was moved to the dead letters',
      ]);
      assert.equal(engine.runtime?.status()?.flows[0]?.heldUp, undefined);
    });
  }

  test('while nobody takes it, the state of the flow says since when, how many and why', async (t) => {
    const settings = 'deadLetter: { endpoint: b }\nredelivery: { maxAttempts: 1 }';
    const yaml = flowOf(call, settings, '  b: { test: { name: "${KEY}" } }').replace(
      'endpoints:',
      'config: { KEY: { secret: true } }\nendpoints:',
    );
    let broken = true;
    const { engine, publish } = await startBench(t, yaml, {
      env: { KEY: 'canary' },
      far: ({ endpoint }) => {
        if (endpoint === 'b' && !broken) return {};
        throw failure('connection', { endpoint, detail: 'canary refused', sent: false });
      },
    });
    const heldUp = () => engine.runtime?.status()?.flows[0]?.heldUp;
    assert.equal(heldUp(), undefined);
    publish(1);
    publish(2);
    await engine.clock.advance(120_000);
    assert.deepEqual(heldUp(), {
      messages: 2,
      since: '2026-01-01T00:00:00.000Z',
      to: 'b',
      code: 'connection',
      detail: 'b could not be reached: *** refused',
    });
    broken = false;
    await engine.clock.advance(120_000);
    assert.equal(heldUp(), undefined);
  });

  test('that cannot be made as the file says goes to the store', async (t) => {
    const settings =
      'deadLetter: { endpoint: parked, body: { n: "${{ $number($.n) }}" } }\nredelivery: { maxAttempts: 1 }';
    const { engine, broker, publish, lines } = await startBench(t, flowOf(call, settings), { far: down });
    publish({ n: 'no number' });
    await engine.clock.advance(0);
    assert.equal(broker.depth('work'), 0);
    assert.equal(broker.depth('parked'), 0);
    assert.deepEqual(lines('error'), [
      'a dead letter cannot be sent as the file says: it goes to the store',
      'a message was moved to the dead letters',
    ]);
  });

  test('shows no secret in its detail', async (t) => {
    const yaml = flowOf('- fail: { code: odd, detail: "the key is ${{ $.key }}" }', parked).replace(
      'endpoints:',
      'config: { KEY: { secret: true } }\nendpoints:\n  s: { test: { name: "${KEY}" } }',
    );
    const { engine, broker, publish } = await startBench(t, yaml, { env: { KEY: 'canary' } });
    publish({ key: 'canary' });
    await engine.clock.advance(0);
    assert.equal(broker.messages('parked')[0]?.headers['dowel-error-detail'], 'the key is ***');
  });
});

describe('stopping', () => {
  test('gives back what waits for its turn or to be tried again, and finishes what runs', async (t) => {
    let finish = (): void => {};
    const far = ({ body }: { readonly body: unknown }): Promise<undefined> => {
      if (body === 'bad') return down();
      return new Promise((resolve) => {
        finish = () => resolve(undefined);
      });
    };
    const settings = 'redelivery: { delay: 1h, maxDelay: 1h }';
    const { engine, broker, publish } = await startBench(t, flowOf(call, settings), { far });
    publish('bad');
    publish('good');
    publish('later');
    await engine.clock.advance(0);
    const stopped = engine.runtime?.stop(10_000);
    await engine.clock.advance(0);
    assert.equal(broker.unacknowledged('work'), 0, 'nobody listens there any more');
    assert.deepEqual(broker.texts('work'), ['"bad"', '"later"']);
    finish();
    await engine.clock.advance(10_000);
    assert.equal(await stopped, 0);
    assert.deepEqual(broker.texts('work'), ['"bad"', '"later"']);
    assert.deepEqual(
      broker.messages('work').map(({ attempt }) => attempt),
      [1, 1],
      'no attempt is counted',
    );
  });

  test('gives back what does not end in time', async (t) => {
    const { engine, broker, publish } = await startBench(t, flowOf(call), {
      far: () => new Promise(() => {}) as never,
    });
    publish(1);
    await engine.clock.advance(0);
    const stopped = engine.runtime?.stop(1000);
    await engine.clock.advance(10_000);
    assert.equal(await stopped, 1);
    assert.deepEqual(broker.texts('work'), ['1']);
  });

  test('a reload hands what waits to the new version', async (t) => {
    let failing = true;
    const settings = 'redelivery: { delay: 1h, maxDelay: 1h }';
    const { engine, broker, publish, bodies } = await startBench(t, flowOf(call, settings), {
      far: () => (failing ? down() : {}),
    });
    publish(1);
    await engine.clock.advance(0);
    failing = false;
    await reload(t, engine, flowOf(call));
    await engine.clock.advance(0);
    assert.deepEqual(bodies(), [1, 1]);
    assert.equal(broker.depth('work'), 0);
  });
});

describe('readiness', () => {
  test('follows sources and endpoints', async (t) => {
    const { engine, broker } = await startBench(t, flowOf(call));
    assert.equal(engine.runtime?.ready, true);
    broker.down();
    assert.equal(engine.runtime?.ready, false);
    broker.up = true;
    await engine.clock.advance(1000);
    assert.equal(engine.runtime?.ready, true);
  });
});
