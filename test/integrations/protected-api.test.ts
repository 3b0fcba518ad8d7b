import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { service } from '../support/http-service.ts';
import { type Answer, ask, type Example, startBackend, startExample } from './example.ts';

async function token(url: string, scope: string, client = 'acme:demo-acme'): Promise<string> {
  const { status, body } = await ask(`${url}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(client).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', audience: 'shop-api', scope }),
  });
  assert.equal(status, 200, JSON.stringify(body));
  return (body as { readonly access_token: string }).access_token;
}

const login = (example: Example): string => example.backend('login').url;
const bearer = (value: string): Record<string, string> => ({ authorization: `Bearer ${value}` });

const reserve = ({ url }: Pick<Example, 'url'>, tenant: string, value: string): Promise<Answer> =>
  ask(`${url}/tenants/${tenant}/reservations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer(value) },
    body: '{ "sku": "tea", "quantity": 2 }',
  });

describe('the protected API', () => {
  test('takes tokens of the login server, for what they allow and for whom they are', async () => {
    await using example = await startExample('protected-api');
    const all = await token(login(example), 'stock.read reservations.write');
    const read = await token(login(example), 'stock.read');
    const stock = await ask(`${example.url}/stock/tea`, { headers: bearer(read) });
    assert.deepEqual([stock.status, stock.body], [200, { sku: 'tea', available: 40, for: 'acme' }]);
    const reserved = await reserve(example, 'acme', all);
    assert.deepEqual([reserved.status, reserved.body], [201, { sku: 'tea', quantity: 2, by: 'acme' }]);
    assert.equal((await reserve(example, 'other', all)).status, 403);
    const refused = await reserve(example, 'acme', read);
    assert.equal(refused.status, 403);
    assert.match(refused.headers.get('www-authenticate') ?? '', /insufficient_scope/);
    // For the inventory, not for us.
    assert.equal((await reserve(example, 'acme', `${all}x`)).status, 401);
  });

  test('shows the inventory a token of its own, and not that of the caller', async () => {
    const shown: (string | undefined)[] = [];
    const bag = new AsyncDisposableStack();
    const t = { after: (end: () => void): void => bag.defer(end) };
    const INVENTORY_URL = await service(t, (request, response) => {
      shown.push(request.headers.authorization);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{ "available": 1 }');
    });
    await using _ = bag;
    await using example = await startExample('protected-api', { INVENTORY_URL });
    const mine = await token(login(example), 'stock.read');
    for (let i = 0; i < 2; i++) await ask(`${example.url}/stock/tea`, { headers: bearer(mine) });
    const [first = '', second] = shown;
    assert.equal(first, second);
    const claims = JSON.parse(Buffer.from(first.split('.')[1] ?? '', 'base64url').toString());
    assert.deepEqual([claims.sub, claims.aud, claims.scope], ['protected-api', 'inventory', 'inventory']);
  });

  test('goes on while the login server is away, and knows its new keys when it is back', async () => {
    await using inventory = await startBackend('inventory');
    const before = await startBackend('login');
    const env = { LOGIN_URL: before.url, INVENTORY_URL: inventory.url };
    await using example = await startExample('protected-api', env);
    const old = await token(before.url, 'stock.read');
    const stock = (value: string) => ask(`${example.url}/stock/tea`, { headers: bearer(value) });
    assert.equal((await stock(old)).status, 200);
    await before.stop();
    assert.equal((await stock(old)).status, 200);
    await using after = await startBackend('login', { PORT: new URL(before.url).port });
    const renewed = await token(after.url, 'stock.read');
    await eventually('the new keys are known', async () => (await stock(renewed)).status === 200);
    assert.equal((await stock(old)).status, 401);
  });
});
