import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { VirtualClock } from '../../../../src/core/clock.ts';
import { type Claims, OpenIdProvider } from '../../../support/openid-provider.ts';
import { problemOf } from '../support.ts';
import { behind, type Guarded, seen, startGuarded, withBearer } from './support.ts';

const introspection = (server: OpenIdProvider, more = ''): string =>
  `{ introspection: { url: "${server.url}/introspect", clientId: "orders api", clientSecret: "s:e%c"${more} } }`;

interface Started {
  readonly server: OpenIdProvider;
  readonly running: Guarded;
  readonly clock: VirtualClock;
}

async function guarded(t: TestContext, more = '', known: Claims = {}): Promise<Started> {
  const server = await OpenIdProvider.start(t);
  const clock = new VirtualClock(Date.now());
  server.known.set('opaque', { active: true, sub: 'ada', client_id: 'shop', scope: 'orders.read', ...known });
  const running = await startGuarded(t, behind(introspection(server, more)), { clock });
  return { server, running, clock };
}

describe('an http source with `auth: introspection`', () => {
  it('asks the server that made the token, as the client that the file names', async (t) => {
    const { server, running } = await guarded(t);
    const { identity, headers } = seen(await withBearer(running, 'opaque'));
    assert.deepEqual(identity, {
      scheme: 'introspection',
      subject: 'ada',
      clientId: 'shop',
      scopes: ['orders.read'],
      claims: { sub: 'ada', client_id: 'shop', scope: 'orders.read' },
    });
    assert.equal(headers['authorization'], undefined);
    const [asked] = server.asked;
    assert.equal(asked?.form.get('token'), 'opaque');
    // Each part as a form has it (RFC 6749 §2.3.1).
    assert.equal(asked?.authorization, `Basic ${Buffer.from('orders+api:s%3Ae%25c').toString('base64')}`);
  });

  it('shows its credentials in the form where the server wants them there', async (t) => {
    const { server, running } = await guarded(t, ', authMethod: post');
    assert.equal((await withBearer(running, 'opaque')).status, 200);
    const [asked] = server.asked;
    assert.equal(asked?.authorization, undefined);
    assert.deepEqual([asked?.form.get('client_id'), asked?.form.get('client_secret')], ['orders api', 's:e%c']);
  });

  it('refuses a token that is not active, over, or made for others', async (t) => {
    const { server, running } = await guarded(t, ', audience: orders-api');
    const now = Math.floor(Date.now() / 1000);
    server.known.set('old', { active: true, exp: now - 1, aud: 'orders-api' });
    server.known.set('other', { active: true, aud: ['billing'] });
    server.known.set('mine', { active: true, aud: ['billing', 'orders-api'] });
    server.known.set('text', { active: 'true', aud: 'orders-api' });
    for (const [token, reason] of [
      ['unknown', 'inactive'],
      ['old', 'expired'],
      ['other', 'audience'],
    ] as const) {
      const reply = await withBearer(running, token);
      assert.deepEqual([reply.status, running.refused(reason)], [401, 1], token);
    }
    assert.equal((await withBearer(running, 'text')).status, 401);
    assert.equal((await withBearer(running, 'mine')).status, 200);
  });

  it('remembers an answer for `cache`, and asks again then', async (t) => {
    const { server, running, clock } = await guarded(t, ', cache: 10s');
    for (let i = 0; i < 3; i++) assert.equal((await withBearer(running, 'opaque')).status, 200);
    assert.equal(server.asked.length, 1);
    server.known.clear();
    assert.equal((await withBearer(running, 'opaque')).status, 200);
    await clock.advance(10_001);
    assert.equal((await withBearer(running, 'opaque')).status, 401);
    assert.equal(server.asked.length, 2);
  });

  it('remembers nothing with `cache: 0s`, and never beyond the end of the token', async (t) => {
    const never = await guarded(t, ', cache: 0s');
    for (let i = 0; i < 2; i++) await withBearer(never.running, 'opaque');
    assert.equal(never.server.asked.length, 2);
    const { server, running, clock } = await guarded(t, ', cache: 10m', { exp: Math.floor(Date.now() / 1000) + 20 });
    assert.equal((await withBearer(running, 'opaque')).status, 200);
    await clock.advance(21_000);
    assert.equal((await withBearer(running, 'opaque')).status, 401);
    assert.equal(server.asked.length, 2);
  });

  it('asks once for a token that many show at the same time', async (t) => {
    const { server, running } = await guarded(t);
    const replies = await Promise.all(Array.from({ length: 20 }, () => withBearer(running, 'opaque')));
    assert.ok(replies.every((reply) => reply.status === 200));
    assert.equal(server.asked.length, 1);
  });

  it('answers 503 while that server cannot be asked: never 401, and nobody is let in', async (t) => {
    const { server, running } = await guarded(t);
    server.up = false;
    const reply = await withBearer(running, 'opaque');
    assert.deepEqual(
      [reply.status, problemOf(reply).code, reply.headers['retry-after']],
      [503, 'auth-unavailable', '1'],
    );
    server.up = true;
    assert.equal((await withBearer(running, 'opaque')).status, 200);
    const said = running.log.lines.map((line) => line.message);
    assert.ok(said.includes('tokens cannot be checked: their server does not answer as it should'));
    assert.ok(said.includes('tokens can be checked again'));
  });

  it('wants the scopes of the token', async (t) => {
    const { running } = await guarded(t, ', scopes: [orders.write]');
    assert.equal((await withBearer(running, 'opaque')).status, 403);
  });
});
