import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { integrationOf, request, startIntegration } from '../connectors/http/support.ts';
import { surviving } from '../support/dying-store.ts';
import { freshStore, mainFlow, startEngine } from '../support/engine.ts';

describe('claimCheck', () => {
  test('puts the body away, and brings it back as it was', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`
- claimCheck: { store: {} }
- call: { endpoint: a, test: { path: look }, as: seen }
- claimCheck: { fetch: { key: claim } }
`),
    );
    const text = '{ "n": 1.0,   "big": 12345678901234567890 }';
    const { exchange } = await engine.send({ bytes: { text, contentType: 'application/json; charset=utf-8' } });
    const { claim, ...rest } = Object(engine.calls[0]?.body) as Record<string, unknown>;
    assert.match(String(claim), /^[0-9a-f-]{36}$/);
    assert.deepEqual(rest, { contentType: 'application/json; charset=utf-8', size: text.length });
    assert.equal(Buffer.from((await exchange?.bytes()) as Uint8Array).toString(), text);
    assert.equal(exchange?.body.contentType, 'application/json; charset=utf-8');
  });

  test('with `as` the body stays, and the name is the claim, or what was kept', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`
- claimCheck: { store: { key: id, as: ticket } }
- claimCheck: { fetch: { key: $ticket.claim, as: kept } }
- respond: { body: { body: "\${{ $ }}", ticket: "\${{ $ticket }}", kept: "\${{ $kept }}" } }
`),
    );
    const body = { id: 'a1', n: 2 };
    assert.deepEqual((await engine.send({ body })).body, {
      body,
      ticket: { claim: 'a1', contentType: 'application/json', size: 17 },
      kept: body,
    });
  });

  test('a claim is good in another flow, until `retain` is over; then it is told', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow('- claimCheck: { store: { key: id, retain: 1h } }', {
        flows: 'later:\n  from: { test: {} }\n  steps: [ { claimCheck: { fetch: { key: $params.id } } } ]',
      }),
    );
    await engine.send({ body: { id: 7 } });
    const fetch = () => engine.send({ flow: 'later', params: { id: '7' } });
    assert.deepEqual((await fetch()).body, { id: 7 });
    await engine.clock.advance(3_600_000);
    await assert.rejects(fetch(), { code: 'no-claim', kind: 'permanent', status: 404 });
  });

  test('what is kept under the same key is replaced', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow('- claimCheck: { store: { key: "\'one\'" } }\n- claimCheck: { fetch: { key: "\'one\'" } }'),
    );
    await engine.send({ body: 1 });
    assert.equal((await engine.send({ body: 2 })).body, 2);
  });

  test('an empty body is kept, too', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow('- claimCheck: { store: {} }\n- claimCheck: { fetch: { key: claim } }'),
    );
    assert.equal((await engine.send({})).exchange?.body.isEmpty, true);
  });

  test('a key of nothing is told', async (t) => {
    for (const steps of ['- claimCheck: { store: { key: id } }', '- claimCheck: { fetch: { key: id } }']) {
      const engine = await startEngine(t, mainFlow(steps));
      await assert.rejects(engine.send({ body: {} }), { code: 'no-key', status: 400 });
    }
  });

  test('a body that is too large for the store is told, with both sizes', async (t) => {
    const engine = await startEngine(t, mainFlow('- claimCheck: { store: {} }'));
    const text = 'x'.repeat(16 * 1024 * 1024);
    await assert.rejects(engine.send({ bytes: { text, contentType: 'text/plain' } }), {
      code: 'store-limit',
      kind: 'permanent',
      status: 413,
      message: 'The store does not take this: a body of 16777216 bytes; a claim check keeps at most 16777216',
    });
  });

  test('a durable message has the same claim when it goes on', async (t) => {
    const yaml = mainFlow(
      '- claimCheck: { store: {} }\n- delay: { for: 10s }\n- send: { endpoint: out, body: { claim: "${{ claim }}" } }',
      { flow: 'durable: true' },
    );
    const store = freshStore();
    const first = await startEngine(t, yaml, { store: surviving(store) });
    const sent = assert.rejects(first.send({ body: 1 }), { code: 'suspended' });
    await first.clock.advance(1000);
    const [before] = (await store.list('claim', { limit: 10 })).entries;
    await first.stop();
    await sent;
    const second = await startEngine(t, yaml, { store, seed: 2 });
    await second.clock.advance(20_000);
    const { entries } = await store.list('claim', { limit: 10 });
    assert.deepEqual(
      entries.map((one) => one.key),
      [before?.key],
    );
    assert.equal(second.called.length, 1);
  });

  test('bytes that are no text come back over HTTP as they went in', async (t) => {
    const { url } = await startIntegration(
      t,
      integrationOf({
        put: { from: 'http: { method: POST, path: /files }', steps: '- claimCheck: { store: {} }' },
        get: {
          from: 'http: { method: GET, path: "/files/{claim}" }',
          steps: '- claimCheck: { fetch: { key: $params.claim } }',
        },
      }),
    );
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7) % 256);
    const put = await request(`${url}/files`, { headers: { 'content-type': 'image/png' }, body: bytes });
    const { claim, size } = put.json as { claim: string; size: number };
    assert.equal(size, bytes.length);
    const got = await fetch(`${url}/files/${claim}`);
    assert.equal(got.headers.get('content-type'), 'image/png');
    assert.equal(Buffer.compare(Buffer.from(await got.arrayBuffer()), bytes), 0);
    assert.equal((await fetch(`${url}/files/another`)).status, 404);
  });

  test('one does one thing', async (t) => {
    await assert.rejects(startEngine(t, mainFlow('- claimCheck: {}')), /store.*fetch/);
    await assert.rejects(
      startEngine(t, mainFlow('- claimCheck: { store: {}, fetch: { key: claim } }')),
      /store.*fetch/,
    );
  });
});
