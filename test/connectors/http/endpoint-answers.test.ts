import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { calling, json } from './calling.ts';
import { packedIn, post, problemOf, startIntegration, startService } from './support.ts';

test('the answer becomes the message, with its status and headers in $response', async (t) => {
  const far = await startService(t, (_, response) => {
    response.writeHead(201, { ...json, 'x-one': '1', 'set-cookie': ['a=1', 'b=2'] }).end('{"id":7}');
  });
  const running = await startIntegration(
    t,
    calling(
      'http: {}',
      `url: "${far.url}"`,
      '- respond: { body: { id: "${{ id }}", status: "${{ $response.status }}", one: "${{ $response.headers.`x-one` }}", cookies: "${{ $response.headers.`set-cookie` }}", from: "${{ $response.endpoint }}", odd: "${{ $exists($response.headers.constructor) }}" } }',
    ),
  );
  const reply = await post(`${running.url}/run`, {});
  assert.deepEqual(reply.json, { id: 7, status: 201, one: '1', cookies: ['a=1', 'b=2'], from: 'far', odd: false });
  assert.equal(reply.headers['x-one'], undefined);
  assert.equal(reply.headers['set-cookie'], undefined);
});

test('a status that is not expected is an error with its code; the rest of the flow does not run', async (t) => {
  const far = await startService(t, ({ url }, response) => {
    response.writeHead(Number(url.slice(1)), { ...json, 'retry-after': '7' }).end('{"why":"because"}');
  });
  const running = await startIntegration(t, calling('http: { path: "/${{ status }}" }', `url: "${far.url}"`));
  const outcome = async (status: number) => {
    const reply = await post(`${running.url}/run`, { status });
    const { code, outcome } = problemOf(reply);
    return [reply.status, code, outcome, reply.headers['retry-after']];
  };
  assert.deepEqual(await outcome(404), [502, 'http-404', 'none', '7']);
  assert.deepEqual(await outcome(503), [502, 'http-503', 'unknown', '7']);
  assert.deepEqual(await outcome(302), [502, 'http-302', 'none', '7']);
});

test('expect names statuses and classes that are success; redirects are never followed', async (t) => {
  const far = await startService(t, ({ url }, response) => {
    response.writeHead(Number(url.slice(1)), { ...json, location: '/200' }).end('{}');
  });
  const running = await startIntegration(
    t,
    calling(
      'expect: [2xx, 404, 3xx], http: { path: "/${{ status }}" }',
      `url: "${far.url}"`,
      '- respond: { body: "${{ $response.status }}" }',
    ),
  );
  const run = async (status: number) => (await post(`${running.url}/run`, { status })).text;
  assert.deepEqual([await run(200), await run(404), await run(302)], ['200', '404', '302']);
  assert.match(await run(409), /http-409/);
  assert.deepEqual(
    far.requests.map((one) => one.url),
    ['/200', '/404', '/302', '/409'],
  );
});

test('an answer is read as the file says, whatever its content type', async (t) => {
  const far = await startService(t, (_, response) => {
    response
      .writeHead(200, { 'content-type': 'text/html; charset=iso-8859-1' })
      .end(Buffer.from('{"name":"J\xfcrgen"}', 'latin1'));
  });
  const running = await startIntegration(
    t,
    calling(
      'http: {}',
      `url: "${far.url}", response: { format: json }`,
      '- respond: { body: { name: "${{ name }}" } }',
    ),
  );
  assert.deepEqual((await post(`${running.url}/run`, {})).json, { name: 'Jürgen' });
});

test('an answer that is not what it says is the far side’s fault', async (t) => {
  const far = await startService(t, (_, response) => {
    response.writeHead(200, json).end('{"broken":');
  });
  const running = await startIntegration(t, calling('http: { method: GET }, as: found', `url: "${far.url}"`));
  const reply = await post(`${running.url}/run`, {});
  assert.deepEqual([reply.status, problemOf(reply).code], [502, 'invalid-response']);
});

test('an answer larger than maxResponse cannot be looked at, but can be relayed', async (t) => {
  const far = await startService(t, (_, response) => {
    response.writeHead(200, json).end(JSON.stringify('x'.repeat(5000)));
  });
  const endpoint = `url: "${far.url}", maxResponse: 1kb`;
  const looking = await startIntegration(t, calling('http: {}, as: found', endpoint));
  const reply = await post(`${looking.url}/run`, {});
  assert.deepEqual([reply.status, problemOf(reply).code], [502, 'response-too-large']);
  const relaying = await startIntegration(t, calling('http: {}', endpoint));
  assert.equal((await post(`${relaying.url}/run`, {})).text.length, 5002);
});

test('compressed answers are understood, and broken ones are the far side’s fault', async (t) => {
  const text = JSON.stringify({ text: 'x'.repeat(100_000) });
  const packed = packedIn(text);
  const far = await startService(t, ({ headers }, response) => {
    const encoding = String(headers['x-encoding']);
    const [name, cut] = encoding.split('|');
    const bytes = packed[name ?? ''] ?? Buffer.from('?');
    response.writeHead(200, { ...json, 'content-encoding': name }).end(cut ? bytes.subarray(0, Number(cut)) : bytes);
  });
  const running = await startIntegration(
    t,
    calling(
      'http: { headers: { x-encoding: "${{ encoding }}" } }',
      `url: "${far.url}"`,
      '- respond: { body: "${{ $length(text) }}" }',
    ),
  );
  const run = (encoding: string) => post(`${running.url}/run`, { encoding });
  for (const encoding of Object.keys(packed)) assert.equal((await run(encoding)).text, '100000', encoding);
  for (const broken of ['gzip|40', 'klingon', 'gzip, gzip, gzip, gzip, gzip', 'br|3']) {
    assert.equal(problemOf(await run(broken)).code, 'invalid-response', broken);
  }
  const relaying = await startIntegration(t, calling('http: { headers: { x-encoding: gzip } }', `url: "${far.url}"`));
  const relayed = await post(`${relaying.url}/run`, {});
  assert.equal(relayed.text, text);
  assert.equal(relayed.headers['content-encoding'], undefined);
  await eventually('nothing is under way', () => running.runtime.inFlight === 0);
});
