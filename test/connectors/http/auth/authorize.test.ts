import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { VirtualClock } from '../../../../src/core/clock.ts';
import { systemRandom } from '../../../../src/core/random.ts';
import { eventually } from '../../../support/eventually.ts';
import { OpenIdProvider } from '../../../support/openid-provider.ts';
import {
  integrationOf,
  post,
  problemOf,
  type Received,
  type Running,
  type RunningOptions,
  request,
  type Service,
  startIntegration,
  startService,
} from '../support.ts';

interface Started {
  readonly server: OpenIdProvider;
  readonly far: Service;
  readonly running: Running;
  /** Tokens that the service does not take. */
  readonly spoilt: Set<string>;
  readonly tokens: () => readonly (string | undefined)[];
}

const client = 'clientId: place-order, clientSecret: canary-secret';

async function calling(
  t: TestContext,
  auth: (server: OpenIdProvider) => string,
  more: {
    readonly options?: RunningOptions;
    readonly policies?: string;
    readonly door?: (server: OpenIdProvider) => string;
    readonly steps?: string;
  } = {},
): Promise<Started> {
  const server = await OpenIdProvider.start(t);
  const spoilt = new Set<string>();
  const tokenOf = ({ headers }: Received): string | undefined => headers.authorization?.replace('Bearer ', '');
  const far = await startService(t, (received, response) => {
    response.statusCode = spoilt.has(tokenOf(received) ?? '') ? 401 : 200;
    response.end('{}');
  });
  const endpoint = `far: { http: { url: "${far.url}", auth: ${auth(server)} }${more.policies ?? ''} }`;
  const steps = more.steps ?? '- call: { endpoint: far, http: { path: /x } }';
  const from = `http: { path: /run${more.door ? `, auth: ${more.door(server)}` : ''} }`;
  const running = await startIntegration(t, integrationOf({ main: { from, steps } }, endpoint), more.options);
  return { server, far, running, spoilt, tokens: () => far.requests.map(tokenOf) };
}

const run = ({ running }: Started, headers: Readonly<Record<string, string>> = {}) =>
  post(`${running.url}/run`, { a: 1 }, headers);
const byUrl = (server: OpenIdProvider): string =>
  `{ oauth2: { tokenUrl: "${server.url}/token", ${client}, scopes: [a, b], audience: stock } }`;

describe('an endpoint with `auth: oauth2`', () => {
  it('fetches a token with its credentials, and shows it with every call while it lives', async (t) => {
    const one = await calling(t, byUrl);
    for (let i = 0; i < 3; i++) assert.equal((await run(one)).status, 200);
    assert.deepEqual(one.tokens(), ['token-1', 'token-1', 'token-1']);
    const [asked] = one.server.asked;
    assert.deepEqual(Object.fromEntries(asked?.form ?? []), {
      grant_type: 'client_credentials',
      scope: 'a b',
      audience: 'stock',
    });
    assert.equal(asked?.authorization, `Basic ${Buffer.from('place-order:canary-secret').toString('base64')}`);
    assert.equal(one.server.asked.length, 1);
  });

  it('finds where tokens are given out by the issuer; shows its credentials in the form where they are wanted there', async (t) => {
    const one = await calling(t, (server) => `{ oauth2: { issuer: "${server.issuer}", ${client}, authMethod: post } }`);
    assert.equal((await run(one)).status, 200);
    assert.equal(one.server.hitsOf('/realm/.well-known/openid-configuration'), 1);
    const [asked] = one.server.asked;
    assert.equal(asked?.authorization, undefined);
    assert.deepEqual(
      [asked?.form.get('client_id'), asked?.form.get('client_secret')],
      ['place-order', 'canary-secret'],
    );
  });

  it('asks once, however many calls wait for it', async (t) => {
    const one = await calling(t, byUrl);
    const replies = await Promise.all(Array.from({ length: 30 }, () => run(one)));
    assert.ok(replies.every((reply) => reply.status === 200));
    assert.equal(one.server.asked.length, 1);
  });

  it('renews it before it is over, beside the calls', async (t) => {
    const clock = new VirtualClock(Date.now());
    const one = await calling(t, byUrl, { options: { clock } });
    await run(one);
    await clock.advance(220_000);
    await run(one);
    assert.equal(one.server.asked.length, 1);
    await clock.advance(60_000);
    await run(one);
    assert.equal(one.tokens().at(-1), 'token-1');
    await eventually('a new one was fetched', () => one.server.asked.length === 2);
    await eventually('it is used', async () => {
      await run(one);
      return one.tokens().at(-1) === 'token-2';
    });
  });

  it('waits for a new one when the old one is over', async (t) => {
    const clock = new VirtualClock(Date.now());
    const one = await calling(t, byUrl, { options: { clock } });
    await run(one);
    await clock.advance(295_000);
    await run(one);
    assert.deepEqual(one.tokens(), ['token-1', 'token-2']);
  });

  it('makes a call that is answered 401 once more with a new token, the body included', async (t) => {
    const one = await calling(t, byUrl);
    one.spoilt.add('token-1');
    assert.equal((await run(one)).status, 200);
    assert.deepEqual(one.tokens(), ['token-1', 'token-2']);
    assert.deepEqual(
      one.far.requests.map((received) => received.body),
      ['{"a":1}', '{"a":1}'],
    );
    await run(one);
    assert.equal(one.server.asked.length, 2);
  });

  it('does not go on asking when the new one is not taken either', async (t) => {
    const one = await calling(t, byUrl);
    for (let i = 1; i < 10; i++) one.spoilt.add(`token-${i}`);
    const reply = await run(one);
    assert.deepEqual([reply.status, problemOf(reply).code], [502, 'http-401']);
    assert.equal(one.far.requests.length, 2);
  });

  it('takes 401 for an answer where the call expects it', async (t) => {
    const one = await calling(t, byUrl, { steps: '- call: { endpoint: far, http: { path: /x }, expect: [401] }' });
    one.spoilt.add('token-1');
    await run(one);
    assert.deepEqual(one.tokens(), ['token-1']);
  });

  it('that gets none: a permanent error where it was refused, and the service hears nothing', async (t) => {
    const one = await calling(t, byUrl, { policies: ', retry: { maxAttempts: 3, delay: 1ms }' });
    one.server.answer = () => ({ status: 401, json: { error: 'invalid_client', error_description: 'canary' } });
    const reply = await run(one);
    const { code, outcome, detail } = problemOf(reply);
    assert.deepEqual([reply.status, code, outcome], [502, 'token-refused', 'none']);
    assert.equal(detail, 'The token server of far gave no token');
    assert.equal(one.far.requests.length, 0);
    assert.equal(one.server.asked.length, 1);
    const told = JSON.stringify(one.running.log.lines);
    assert.match(told, /invalid_client \(401\)/);
    assert.doesNotMatch(told + reply.text, /canary/);
  });

  it('that gets none for a moment: a transient error, tried again by the policies of the endpoint', async (t) => {
    // The server is left alone for a moment: attempts that come sooner hear what the one before heard.
    const random = { ...systemRandom, next: () => 0.99, uuid: () => systemRandom.uuid() };
    const policies = ', retry: { maxAttempts: 3, delay: 400ms }';
    const one = await calling(t, byUrl, { policies, options: { random } });
    let count = 0;
    one.server.answer = () => (++count < 2 ? { status: 503, json: {} } : undefined);
    assert.equal((await run(one)).status, 200);
    assert.equal(count, 2);
  });

  it('does not wait longer for a token than the call may take', async (t) => {
    const server = await OpenIdProvider.start(t);
    const silent = await startService(t, () => {});
    const one = await calling(t, () => `{ oauth2: { tokenUrl: "${silent.url}/token", ${client} } }`, {
      policies: ', timeout: 200ms',
    });
    const reply = await run(one);
    assert.deepEqual([reply.status, problemOf(reply).code], [504, 'timeout']);
    assert.equal(server.asked.length, 0);
  });

  it('takes no answer that holds no token', async (t) => {
    const one = await calling(t, byUrl);
    for (const json of [
      {},
      [],
      { access_token: 'a\nb', token_type: 'Bearer' },
      { access_token: 'x', token_type: 'mac' },
      { access_token: '' },
    ]) {
      one.server.answer = () => ({ status: 200, json });
      const other = await calling(t, () => byUrl(one.server));
      assert.equal(problemOf(await run(other)).code, 'token-refused', JSON.stringify(json));
      assert.equal(other.far.requests.length, 0);
    }
  });

  it('keeps no token whose life is over when it comes, and one of which nothing is said for a while', async (t) => {
    for (const life of [0, -1, '0']) {
      const one = await calling(t, byUrl);
      one.server.answer = () => ({
        status: 200,
        json: { access_token: `token-${one.server.asked.length}`, token_type: 'Bearer', expires_in: life },
      });
      for (let i = 0; i < 2; i++) assert.equal((await run(one)).status, 200);
      assert.deepEqual(one.tokens(), ['token-1', 'token-2'], `expires_in: ${JSON.stringify(life)}`);
    }
    for (const life of [undefined, null, '', 'soon']) {
      const one = await calling(t, byUrl);
      one.server.answer = () => ({
        status: 200,
        json: { access_token: `token-${one.server.asked.length}`, token_type: 'Bearer', expires_in: life },
      });
      for (let i = 0; i < 2; i++) assert.equal((await run(one)).status, 200);
      assert.deepEqual(one.tokens(), ['token-1', 'token-1'], `expires_in: ${JSON.stringify(life)}`);
    }
  });

  it('is not overwritten by a header of a call, and its secret and token stand in no log line', async (t) => {
    const steps =
      '- call: { endpoint: far, http: { path: /x, headers: { Authorization: mine } } }\n- log: { message: done, fields: { seen: "${{ $headers }}" } }\n- fail: { code: broken }';
    const one = await calling(t, byUrl, { steps });
    one.server.answer = () => ({
      status: 200,
      json: { access_token: 'canary-token', token_type: 'bearer', expires_in: '60' },
    });
    const reply = await run(one);
    assert.deepEqual(one.tokens(), ['canary-token']);
    assert.doesNotMatch(JSON.stringify(one.running.log.lines) + reply.text, /canary/);
  });
});

const door = (server: OpenIdProvider): string => `{ jwt: { issuer: "${server.issuer}", audience: orders-api } }`;

describe('an endpoint that passes on the token of the caller', () => {
  it('as it is (`forward: bearer`)', async (t) => {
    const one = await calling(t, () => '{ forward: bearer }', { door });
    const [ada, bob] = [one.server.token(), one.server.token({ sub: 'bob' })];
    for (const token of [ada, bob]) await run(one, { authorization: `Bearer ${token}` });
    assert.deepEqual(one.tokens(), [ada, bob]);
  });

  it('also from a sub-flow and a branch', async (t) => {
    const steps = '- scatterGather: { branches: { a: [{ call: { endpoint: far, http: { path: /x } } }] }, as: found }';
    const one = await calling(t, () => '{ forward: bearer }', { door, steps });
    const token = one.server.token();
    assert.equal((await run(one, { authorization: `Bearer ${token}` })).status, 200);
    assert.deepEqual(one.tokens(), [token]);
  });

  it('exchanged for one that is meant for the service (`tokenExchange`, RFC 8693), once for each caller', async (t) => {
    const auth = (server: OpenIdProvider): string =>
      `{ tokenExchange: { issuer: "${server.issuer}", ${client}, audience: stock, resource: "https://stock.example" } }`;
    const one = await calling(t, auth, { door });
    const [ada, bob] = [one.server.token(), one.server.token({ sub: 'bob' })];
    for (const token of [ada, bob, ada])
      assert.equal((await run(one, { authorization: `Bearer ${token}` })).status, 200);
    assert.deepEqual(one.tokens(), ['token-1', 'token-2', 'token-1']);
    assert.deepEqual(Object.fromEntries(one.server.asked[0]?.form ?? []), {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: ada,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      audience: 'stock',
      resource: 'https://stock.example',
    });
    assert.equal(one.server.asked.length, 2);
  });

  it('has none in a sub-flow of a caller who showed another thing: nothing is sent', async (t) => {
    const server = await OpenIdProvider.start(t);
    const far = await startService(t, (_, response) => void response.end('{}'));
    const yaml = `${integrationOf(
      {
        main: {
          from: 'http: { path: /run, auth: { apiKey: { keys: [{ id: a, key: k }] } } }',
          steps: '- run: { flow: inner }',
        },
      },
      `far: { http: { url: "${far.url}", auth: { forward: bearer } } }`,
    )}\n  inner:\n    steps: [{ call: { endpoint: far, http: { path: /x } } }]`;
    const running = await startIntegration(t, yaml);
    const reply = await request(`${running.url}/run`, { method: 'POST', headers: { 'x-api-key': 'k' } });
    assert.deepEqual([reply.status, problemOf(reply).code, far.requests.length], [403, 'no-token', 0]);
    assert.equal(reply.headers['www-authenticate'], undefined);
    assert.equal(server.asked.length, 0);
  });
});

describe('a body that streams', () => {
  it('is not sent twice: the call fails with what the service answered', async (t) => {
    const one = await calling(t, byUrl);
    one.spoilt.add('token-1');
    const http = process.getBuiltinModule('node:http');
    const sent = http.request(`${one.running.url}/run`, { method: 'POST', headers: { 'content-type': 'text/plain' } });
    sent.write('x'.repeat(100_000));
    sent.end('end');
    const [response] = await once(sent, 'response');
    response.resume();
    assert.equal(response.statusCode, 502);
    assert.equal(one.far.requests.length, 1);
    // The next call has a new token all the same.
    assert.equal((await run(one)).status, 200);
  });
});
