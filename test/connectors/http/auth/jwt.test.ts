import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { VirtualClock } from '../../../../src/core/clock.ts';
import { eventually } from '../../../support/eventually.ts';
import { newKey, OpenIdProvider, signed, signedWithPublicKey, unsigned } from '../../../support/openid-provider.ts';
import { problemOf, RawClient, request } from '../support.ts';
import { ask, behind, type Guarded, seen, startGuarded, withBearer } from './support.ts';

const jwt = (issuer: OpenIdProvider, more = ''): string =>
  `{ jwt: { issuer: "${issuer.issuer}", audience: orders-api${more} } }`;

async function guarded(
  t: TestContext,
  more = '',
): Promise<{ readonly issuer: OpenIdProvider; readonly running: Guarded }> {
  const issuer = await OpenIdProvider.start(t);
  return { issuer, running: await startGuarded(t, behind(jwt(issuer, more))) };
}

describe('an http source with `auth: jwt`', () => {
  it('lets a caller in whose token its issuer signed; the flow knows who it is, and never sees the token', async (t) => {
    const { issuer, running } = await guarded(t);
    const token = issuer.token({ tenant: 'acme' });
    const reply = await withBearer(running, token);
    const { identity, headers } = seen(reply);
    assert.equal(identity['scheme'], 'jwt');
    assert.equal(identity['subject'], 'ada');
    assert.equal(identity['clientId'], 'shop');
    assert.deepEqual(identity['scopes'], ['orders.read', 'orders.write']);
    assert.equal((identity['claims'] as Record<string, unknown>)['tenant'], 'acme');
    assert.equal(headers['authorization'], undefined);
    assert.doesNotMatch(reply.text, new RegExp(token.split('.')[2] ?? 'x'));
    assert.equal(reply.headers['cache-control'], 'no-store');
  });

  it('takes every signature that it knows, and the scheme in any spelling', async (t) => {
    const { issuer, running } = await guarded(t);
    issuer.keys = [newKey('RS256'), newKey('ES256'), newKey('EdDSA')];
    for (const key of issuer.keys) {
      const reply = await ask(running, { authorization: `bearer ${signed(key, issuer.claims())}` });
      assert.equal(reply.status, 200, key.alg);
    }
  });

  it('asks who shows nothing, without a word about errors (RFC 6750 §3)', async (t) => {
    const { running } = await guarded(t);
    const reply = await ask(running);
    assert.equal(reply.headers['www-authenticate'], 'Bearer realm="tried"');
    const { status, code } = problemOf(reply);
    assert.deepEqual([status, code], [401, 'unauthenticated']);
    assert.equal(reply.headers['cache-control'], 'no-store');
    assert.equal(running.refused('missing'), 1);
  });

  const attacks: Readonly<
    Record<string, { readonly reason: string; readonly token: (issuer: OpenIdProvider) => string }>
  > = {
    'that nobody signed (alg none)': { reason: 'algorithm', token: (issuer) => unsigned(issuer.claims()) },
    'signed with the public key as a shared secret': {
      reason: 'algorithm',
      token: (issuer) => signedWithPublicKey(issuer.rotate('RS256'), issuer.claims()),
    },
    'of another key under a known name': {
      reason: 'signature',
      token: (issuer) => signed(newKey('ES256', issuer.key.kid), issuer.claims()),
    },
    'with a key of its own in its header': {
      reason: 'signature',
      token: (issuer) => {
        const own = newKey('ES256', issuer.key.kid);
        return signed(own, issuer.claims(), {
          jwk: own.publicKey.export({ format: 'jwk' }),
          jku: `${issuer.url}/keys`,
        });
      },
    },
    'made for another service': { reason: 'audience', token: (issuer) => issuer.token({ aud: 'billing' }) },
    'made for nobody in particular': { reason: 'audience', token: (issuer) => issuer.token({ aud: undefined }) },
    'of another issuer': { reason: 'issuer', token: (issuer) => issuer.token({ iss: 'https://evil.example' }) },
    'that is over': { reason: 'expired', token: (issuer) => issuer.token({ exp: Math.floor(Date.now() / 1000) - 31 }) },
    'that has no end': { reason: 'claims', token: (issuer) => issuer.token({ exp: undefined }) },
    'of the future': {
      reason: 'not-yet-valid',
      token: (issuer) => issuer.token({ nbf: Math.floor(Date.now() / 1000) + 90 }),
    },
    'whose claims were changed': {
      reason: 'signature',
      token: (issuer) => {
        const [head, , end] = issuer.token().split('.');
        const claims = Buffer.from(JSON.stringify(issuer.claims({ sub: 'root' }))).toString('base64url');
        return `${head}.${claims}.${end}`;
      },
    },
    'with a critical extension that nobody knows': {
      reason: 'algorithm',
      token: (issuer) => issuer.token({}, { crit: ['exp2'], exp2: 1 }),
    },
    'that is none': { reason: 'malformed', token: () => 'abc' },
    'with three parts of rubbish': { reason: 'malformed', token: () => 'a.b.c' },
  };
  for (const [name, { reason, token }] of Object.entries(attacks)) {
    it(`refuses a token ${name}, and tells why only to the log and the metric`, async (t) => {
      const { issuer, running } = await guarded(t);
      const reply = await withBearer(running, token(issuer));
      const { status, code, detail } = problemOf(reply);
      assert.deepEqual([status, code], [401, 'unauthenticated']);
      const said = reply.headers['www-authenticate'] ?? '';
      assert.match(said, /^Bearer realm="tried", error="invalid_token"/);
      assert.doesNotMatch(
        `${said} ${detail}`.replace('The token has expired', ''),
        /signature|audience|issuer|alg|key|claim/i,
      );
      assert.equal(running.refused(reason), 1);
    });
  }

  it('takes no algorithm that is not among `algorithms`', async (t) => {
    const { issuer, running } = await guarded(t, ', algorithms: [EdDSA]');
    assert.equal((await withBearer(running, issuer.token())).status, 401);
    const key = issuer.rotate('EdDSA');
    assert.equal((await withBearer(running, signed(key, issuer.claims()))).status, 200);
  });

  it('refuses a token that was good once it is over', async (t) => {
    const issuer = await OpenIdProvider.start(t);
    const clock = new VirtualClock(Date.now());
    const running = await startGuarded(t, behind(jwt(issuer, ', clockTolerance: 0s')), { clock });
    const token = issuer.token();
    for (let i = 0; i < 3; i++) assert.equal((await withBearer(running, token)).status, 200);
    await clock.advance(298_000);
    assert.equal((await withBearer(running, token)).status, 200);
    await clock.advance(3_000);
    assert.equal((await withBearer(running, token)).status, 401);
    assert.equal(running.refused('expired'), 1);
  });

  it('asks for scopes and conditions at each request, whatever the token was good for before', async (t) => {
    const { issuer, running } = await guarded(t, ', when: "$identity.claims.tenant = $params.tenant"');
    const token = issuer.token({ tenant: 'acme' });
    assert.equal((await withBearer(running, token)).status, 200);
    assert.equal((await ask(running, { authorization: `Bearer ${token}` }, '/orders/other')).status, 403);
    assert.equal((await withBearer(running, token)).status, 200);
  });

  it('lets clocks differ by `clockTolerance`', async (t) => {
    const { issuer, running } = await guarded(t, ', clockTolerance: 2m');
    const now = Math.floor(Date.now() / 1000);
    assert.equal((await withBearer(running, issuer.token({ exp: now - 100 }))).status, 200);
    assert.equal((await withBearer(running, issuer.token({ nbf: now + 100 }))).status, 200);
    assert.equal((await withBearer(running, issuer.token({ exp: now - 130 }))).status, 401);
  });

  it('answers 403 where a scope is missing, and says which are needed', async (t) => {
    const { issuer, running } = await guarded(t, ', scopes: [orders.write, orders.admin]');
    const reply = await withBearer(running, issuer.token());
    assert.equal(problemOf(reply).code, 'insufficient-scope');
    assert.equal(
      reply.headers['www-authenticate'],
      'Bearer realm="tried", error="insufficient_scope", scope="orders.write orders.admin"',
    );
    assert.equal(
      (await withBearer(running, issuer.token({ scope: undefined, scp: ['orders.admin', 'orders.write'] }))).status,
      200,
    );
    assert.equal(running.refused('scopes'), 1);
  });

  it('answers 403 where `when` does not hold, or has nothing to look at', async (t) => {
    const { issuer, running } = await guarded(t, ', when: "$identity.claims.tenant = $params.tenant"');
    assert.equal((await withBearer(running, issuer.token({ tenant: 'acme' }))).status, 200);
    for (const tenant of ['other', undefined]) {
      const reply = await withBearer(running, issuer.token({ tenant }));
      assert.deepEqual([reply.status, problemOf(reply).code], [403, 'forbidden']);
      assert.equal(reply.headers['www-authenticate'], undefined);
    }
    assert.equal(running.refused('condition'), 2);
  });

  it('does not let anybody in when `when` fails', async (t) => {
    const { issuer, running } = await guarded(t, ', when: "$number($identity.claims.level) > 3"');
    assert.equal((await withBearer(running, issuer.token({ level: 'high' }))).status, 500);
  });

  it('does not read the body of who is refused, and tells it to come again on another connection', async (t) => {
    const { running } = await guarded(t);
    const client = await RawClient.connect(t, running.port);
    client.send('POST /orders/acme HTTP/1.1', 'Host: a', 'Content-Length: 900000', 'Expect: 100-continue', '', '');
    const reply = await client.reply();
    assert.equal(reply.status, 401);
    assert.equal(reply.headers['connection'], 'close');
    assert.doesNotMatch(client.received, /100 Continue/);
  });

  it('refuses a request with two Authorization headers: another server may have read the other one', async (t) => {
    const { issuer, running } = await guarded(t);
    const client = await RawClient.connect(t, running.port);
    const header = `Authorization: Bearer ${issuer.token()}`;
    client.send('GET /orders/acme HTTP/1.1', 'Host: a', header, 'Authorization: Bearer x', '', '');
    assert.equal((await client.reply()).status, 401);
    assert.equal(running.refused('malformed'), 1);
  });

  it('answers a header that is far too large with 431, as ever', async (t) => {
    const { running } = await guarded(t);
    const reply = await withBearer(running, 'a'.repeat(20_000)).catch((error: Error) => error);
    // The connection may be cut before all of it is written.
    assert.ok(reply instanceof Error || reply.status === 431);
    assert.equal((await withBearer(running, 'a'.repeat(12_000))).status, 401);
  });

  it('answers a path that nobody serves 404, another method 405 and OPTIONS 204 without a token', async (t) => {
    const { running } = await guarded(t);
    assert.equal((await request(`${running.url}/nowhere`)).status, 404);
    assert.equal((await request(`${running.url}/orders/acme`, { method: 'DELETE' })).status, 405);
    assert.equal((await request(`${running.url}/orders/acme`, { method: 'OPTIONS' })).status, 204);
  });
});

describe('the keys of an issuer', () => {
  it('are asked for once; a new one is asked for when a token names it', async (t) => {
    const { issuer, running } = await guarded(t);
    for (let i = 0; i < 5; i++) assert.equal((await withBearer(running, issuer.token())).status, 200);
    assert.equal(issuer.hitsOf('/keys'), 1);
    const old = issuer.token();
    issuer.rotate();
    assert.equal((await withBearer(running, issuer.token())).status, 200);
    assert.equal(issuer.hitsOf('/keys'), 2);
    assert.equal((await withBearer(running, old)).status, 401);
  });

  it('are not asked for as often as somebody invents one', async (t) => {
    const { issuer, running } = await guarded(t);
    const invented = Array.from({ length: 60 }, () => issuer.token({}, { kid: Math.random().toString() }));
    const replies = await Promise.all(invented.map((token) => withBearer(running, token)));
    assert.ok(replies.every((reply) => reply.status === 401));
    assert.ok(issuer.hitsOf('/keys') <= 4, `${issuer.hitsOf('/keys')} times`);
    assert.equal(running.refused('unknown-key'), 60);
    assert.equal((await withBearer(running, issuer.token())).status, 200);
  });

  it('serve on while their server is down', async (t) => {
    const { issuer, running } = await guarded(t);
    const token = issuer.token();
    assert.equal((await withBearer(running, token)).status, 200);
    issuer.up = false;
    assert.equal((await withBearer(running, token)).status, 200);
    // It may be good, and nobody can say.
    const unknown = await withBearer(running, signed(newKey(), issuer.claims()));
    assert.equal(unknown.status, 503);
    assert.equal((await withBearer(running, token)).status, 200);
  });

  it('that were never there: 503 with Retry-After, never 401, and nobody is let in', async (t) => {
    const issuer = await OpenIdProvider.start(t);
    issuer.up = false;
    const clock = new VirtualClock();
    const running = await startGuarded(t, behind(jwt(issuer)), { clock });
    const reply = await withBearer(running, issuer.token());
    assert.equal(problemOf(reply).code, 'auth-unavailable');
    assert.deepEqual([reply.status, reply.headers['retry-after']], [503, '1']);
    assert.doesNotMatch(reply.text, /127\.0\.0\.1/);
    assert.equal(running.refused('unavailable'), 1);
    assert.equal((await ask(running)).status, 401);
    assert.match(JSON.stringify(running.log.lines), /the keys of the issuer cannot be had/);
  });

  it('come when their server does, which is not asked at every request meanwhile', async (t) => {
    const issuer = await OpenIdProvider.start(t);
    issuer.up = false;
    const clock = new VirtualClock(Date.now());
    const running = await startGuarded(t, behind(jwt(issuer)), { clock });
    const path = '/realm/.well-known/openid-configuration';
    await eventually('the keys were asked for', () => issuer.hitsOf(path) === 1);
    for (let i = 0; i < 5; i++) assert.equal((await withBearer(running, issuer.token())).status, 503);
    assert.equal(issuer.hitsOf(path), 1);
    issuer.up = true;
    await clock.advance(1_000);
    assert.equal((await withBearer(running, issuer.token())).status, 200);
  });

  it('are asked for again after ten minutes, beside the requests', async (t) => {
    const issuer = await OpenIdProvider.start(t);
    issuer.life = 3_600;
    const clock = new VirtualClock(Date.now());
    const running = await startGuarded(t, behind(jwt(issuer)), { clock });
    assert.equal((await withBearer(running, issuer.token())).status, 200);
    await clock.advance(601_000);
    assert.equal((await withBearer(running, issuer.token())).status, 200);
    await eventually('they were asked for again', () => issuer.hitsOf('/keys') === 2);
  });

  it('are found without discovery where `jwks` says where', async (t) => {
    const issuer = await OpenIdProvider.start(t);
    const running = await startGuarded(
      t,
      behind(`{ jwt: { jwks: "${issuer.url}/keys", anyIssuer: true, anyAudience: true } }`),
    );
    assert.equal((await withBearer(running, issuer.token({ iss: 'anybody', aud: 'anything' }))).status, 200);
    assert.equal(issuer.hitsOf('/realm/.well-known/openid-configuration'), 0);
  });

  it('of an issuer that calls itself by another name are not taken', async (t) => {
    const issuer = await OpenIdProvider.start(t);
    const running = await startGuarded(t, behind(jwt(issuer)));
    issuer.issuer = 'https://elsewhere.example';
    const other = await startGuarded(t, behind(`{ jwt: { issuer: "${issuer.url}/realm", audience: orders-api } }`));
    assert.equal((await withBearer(other, issuer.token())).status, 503);
    assert.match(JSON.stringify(other.log.lines), /calls itself/);
    assert.equal((await ask(running)).status, 401);
  });

  it('are tried one after the other for a token that names none', async (t) => {
    const { issuer, running } = await guarded(t);
    issuer.keys = [newKey(), newKey(), newKey()];
    for (const key of issuer.keys) {
      assert.equal((await withBearer(running, signed(key, issuer.claims(), { kid: undefined }))).status, 200);
    }
    assert.equal((await withBearer(running, signed(newKey(), issuer.claims(), { kid: undefined }))).status, 401);
  });
});
