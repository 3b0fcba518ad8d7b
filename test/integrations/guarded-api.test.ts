import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Environment } from '../support/child-process.ts';
import { eventually } from '../support/eventually.ts';
import { service } from '../support/http-service.ts';
import { type Answer, ask, type Example, startBackend, startExample } from './example.ts';

function start(t: { after(run: () => void): void }, env: Environment = {}): Promise<Example> {
  const made = mkdtempSync(join(tmpdir(), 'dowel-guarded-'));
  t.after(() => rmSync(made, { recursive: true }));
  return startExample('guarded-api', { STORE_FILE: join(made, 'store.db'), ...env });
}

/** For all who break nothing: each has clients and orders of its own. */
let shared: Example;
before(async () => {
  shared = await start({ after });
});
after(() => shared[Symbol.asyncDispose]());

const price = ({ url }: Pick<Example, 'url'>, sku: string, client: string): Promise<Answer> =>
  ask(`${url}/prices/${sku}`, { headers: { 'x-client': client } });

interface Payment {
  readonly client: string;
  readonly key?: string;
  readonly order?: string;
  readonly amount?: number;
}

function pay({ url }: Pick<Example, 'url'>, { client, key, order = 'A1', amount = 900 }: Payment): Promise<Answer> {
  const headers = { 'content-type': 'application/json', 'x-client': client, ...(key && { 'idempotency-key': key }) };
  return ask(`${url}/payments`, { method: 'POST', headers, body: JSON.stringify({ order, amount }) });
}

async function amounts({ url }: Pick<Example, 'url'>, order: string): Promise<readonly number[]> {
  const { body } = await ask(`${url}/charges?order=${order}`, { headers: { authorization: 'Bearer demo-key' } });
  return (body as readonly { readonly amount: number }[]).map((one) => one.amount);
}

const codeOf = ({ body }: Answer): unknown => (body as { readonly code?: string }).code;

/** Clients enough: none of them is throttled. */
const clients = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `client-${index}`);

describe('the guarded API remembers prices:', () => {
  test('many who ask at once are one question, and later ones none', async (t) => {
    const asked: (string | undefined)[] = [];
    const INVENTORY_URL = await service(t, (request, response) => {
      asked.push(request.url);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{ "sku": "tea", "amount": 450 }');
    });
    await using example = await start(t, { ...shared.urls, INVENTORY_URL });
    const answers = await Promise.all(clients(20).map((client) => price(example, 'tea', client)));
    for (const { status, body } of answers) assert.deepEqual([status, body], [200, { sku: 'tea', amount: 450 }]);
    assert.equal((await price(example, 'tea', 'later')).status, 200);
    assert.deepEqual(asked, ['/prices/tea']);
    await price(example, 'mug', 'other');
    assert.deepEqual(asked, ['/prices/tea', '/prices/mug']);
  });

  test('a refusal is not remembered', async (t) => {
    let asked = 0;
    const INVENTORY_URL = await service(t, (_request, response) => {
      asked++;
      response.writeHead(asked === 1 ? 404 : 200, { 'content-type': 'application/json' }).end('{ "amount": 1 }');
    });
    await using example = await start(t, { ...shared.urls, INVENTORY_URL });
    const { status, body } = await price(example, 'sofa', 'ada');
    assert.deepEqual([status, body], [404, { error: 'unknown article', sku: 'sofa' }]);
    assert.equal((await price(example, 'sofa', 'ada')).status, 200);
  });

  test('with the inventory down what is known is answered, the rest is 503', async (t) => {
    await using inventory = await startBackend('inventory');
    await using example = await start(t, { ...shared.urls, INVENTORY_URL: inventory.url });
    const known = await price(example, 'tea', 'ada');
    await inventory.stop('SIGKILL');
    const again = await price(example, 'tea', 'ada');
    assert.deepEqual([again.status, again.body], [200, known.body]);
    const { status, headers, body } = await price(example, 'mug', 'ada');
    assert.deepEqual([status, headers.get('retry-after'), body], [503, '5', { error: 'connection' }]);
  });
});

describe('the guarded API lets nobody ask too often:', () => {
  test('a client has its own rate, over all that it asks for', async () => {
    assert.equal((await price(shared, 'tea', 'hasty')).status, 200);
    assert.equal((await pay(shared, { client: 'hasty', key: 'k', order: 'R1' })).status, 201);
    assert.equal((await price(shared, 'mug', 'hasty')).status, 200);
    for (const refused of [
      await price(shared, 'tea', 'hasty'),
      await pay(shared, { client: 'hasty', key: 'l', order: 'R1' }),
    ]) {
      assert.equal(refused.status, 429);
      assert.equal(codeOf(refused), 'rate-limited');
      const seconds = Number(refused.headers.get('retry-after'));
      assert.ok(seconds > 0 && seconds <= 10, String(seconds));
    }
    assert.equal((await price(shared, 'tea', 'patient')).status, 200);
    assert.deepEqual(await amounts(shared.backend('payments'), 'R1'), [900]);
  });

  test('whoever does not say who it is is refused', async () => {
    const nobody = await ask(`${shared.url}/prices/tea`);
    assert.deepEqual([nobody.status, codeOf(nobody)], [401, 'unknown-client']);
  });
});

describe('the guarded API makes no payment twice:', () => {
  test('a repeat gets the first answer; the key belongs to the client and to what was paid', async () => {
    const first = await pay(shared, { client: 'ada', order: 'A2', key: 'k' });
    assert.equal(first.status, 201);
    const again = await pay(shared, { client: 'ada', order: 'A2', key: 'k' });
    assert.deepEqual([again.status, again.body], [201, first.body]);
    const other = await pay(shared, { client: 'ada', order: 'A2', key: 'k', amount: 1200 });
    assert.deepEqual([other.status, codeOf(other)], [422, 'key-reused']);
    assert.equal((await pay(shared, { client: 'bob', order: 'A2', key: 'k', amount: 700 })).status, 201);
    assert.deepEqual(await amounts(shared.backend('payments'), 'A2'), [900, 700]);
  });

  test('without a key there is no payment', async () => {
    const keyless = await pay(shared, { client: 'keyless', order: 'A3' });
    assert.deepEqual([keyless.status, codeOf(keyless)], [400, 'no-key']);
    assert.deepEqual(await amounts(shared.backend('payments'), 'A3'), []);
  });

  test('a payment that failed frees its key', async () => {
    const declined = await pay(shared, { client: 'declined', order: 'A4', key: 'k', amount: 990_000 });
    assert.deepEqual([declined.status, declined.body], [402, { error: 'the card was declined' }]);
    assert.equal((await pay(shared, { client: 'declined', order: 'A4', key: 'k', amount: 99_000 })).status, 201);
  });

  test('while the first one is under way its repeat is told so', async (t) => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    let asked = 0;
    const PAYMENTS_URL = await service(t, async (_request, response) => {
      asked++;
      await released;
      response.writeHead(201, { 'content-type': 'application/json' }).end('{ "id": "ch_7" }');
    });
    await using example = await start(t, { ...shared.urls, PAYMENTS_URL });
    const first = pay(example, { client: 'ada', key: 'k' });
    await eventually('payments is asked', () => asked === 1);
    const meanwhile = await pay(example, { client: 'ada', key: 'k' });
    assert.deepEqual([meanwhile.status, codeOf(meanwhile)], [409, 'duplicate-in-flight']);
    assert.equal(meanwhile.headers.get('retry-after'), '1');
    release();
    assert.equal((await first).status, 201);
    const afterwards = await pay(example, { client: 'ada', key: 'k' });
    assert.deepEqual(afterwards.body, { payment: 'ch_7', order: 'A1', amount: 900 });
    assert.equal(asked, 1);
  });

  test('also when the process was killed and started again', async (t) => {
    await using payments = await startBackend('payments');
    const made = mkdtempSync(join(tmpdir(), 'dowel-guarded-'));
    t.after(() => rmSync(made, { recursive: true }));
    const env = { ...shared.urls, PAYMENTS_URL: payments.url, STORE_FILE: join(made, 'store.db') };
    await using example = await startExample('guarded-api', env);
    const first = await pay(example, { client: 'ada', key: 'k' });
    await example.main.stop('SIGKILL');
    await using again = await startExample('guarded-api', env);
    const repeated = await pay(again, { client: 'ada', key: 'k' });
    assert.deepEqual([repeated.status, repeated.body], [201, first.body]);
    assert.deepEqual(await amounts(payments, 'A1'), [900]);
  });

  test('and payments itself knows the keys that it is given', async (t) => {
    const keys: (string | string[] | undefined)[] = [];
    const PAYMENTS_URL = await service(t, (request, response) => {
      keys.push(request.headers['idempotency-key']);
      response.writeHead(201, { 'content-type': 'application/json' }).end('{ "id": "ch_1" }');
    });
    await using example = await start(t, { ...shared.urls, PAYMENTS_URL });
    await pay(example, { client: 'a', key: 'b-c' });
    await pay(example, { client: 'a-b', key: 'c' });
    assert.deepEqual(keys, ['["a","b-c"]', '["a-b","c"]']);
    await using payments = await startBackend('payments');
    const charge = (): Promise<Answer> =>
      ask(`${payments.url}/charges`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer demo-key', 'idempotency-key': 'k' },
        body: '{ "order": "A1", "amount": 5 }',
      });
    assert.deepEqual((await charge()).body, (await charge()).body);
    assert.deepEqual(await amounts(payments, 'A1'), [5]);
  });
});
