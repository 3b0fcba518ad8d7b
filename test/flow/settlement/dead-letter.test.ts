import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failure, httpFailure } from '../../../src/errors.ts';
import { eventually } from '../../support/eventually.ts';
import { call, down, flowOf, startBench } from './support.ts';

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
    // The store takes its own time.
    await eventually('the message is settled', () => broker.depth('work') === 0);
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
