import assert from 'node:assert/strict';
import { test } from 'node:test';
import { integrationOf, request, startIntegration } from '../http/support.ts';

const envelope =
  '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><Ask xmlns="urn:a">1</Ask></s:Body></s:Envelope>';

test('a SOAP source knows its callers as http does; who is refused gets a fault, with the status and the challenge of HTTP', async (t) => {
  const auth = 'auth: { basic: { users: [{ name: ada, password: pw }], when: "$params.tenant != \'closed\'" } }';
  const running = await startIntegration(
    t,
    integrationOf({
      ask: {
        from: `soap: { path: "/{tenant}", namespace: urn:a, ${auth}, rateLimit: { rate: 2/m } }`,
        steps: '- respond: { body: { AskResponse: "${{ $identity.subject }}" } }',
      },
    }),
  );
  const call = (tenant: string, pair?: string) =>
    request(`${running.url}/${tenant}`, {
      method: 'POST',
      headers: {
        'content-type': 'text/xml',
        ...(pair === undefined ? {} : { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }),
      },
      body: envelope,
    });
  const known = await call('open', 'ada:pw');
  assert.equal(known.status, 200, known.text);
  assert.match(known.text, /<AskResponse[^>]*>ada</);
  const unknown = await call('open');
  assert.equal(unknown.status, 401);
  assert.equal(unknown.headers['www-authenticate'], 'Basic realm="tried", charset="UTF-8"');
  assert.match(unknown.text, /<faultcode>\w+:Client<\/faultcode>.*unauthenticated/s);
  const closed = await call('closed', 'ada:pw');
  assert.equal(closed.status, 403);
  assert.match(closed.text, /forbidden/);
  assert.equal((await call('open', 'ada:pw')).status, 200);
  const often = await call('open', 'ada:pw');
  assert.deepEqual([often.status, often.headers['retry-after']], [429, '30']);
});
