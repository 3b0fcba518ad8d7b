import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { type Answer, ask, type Example, post, startBackend, startExample } from './example.ts';

const show = ({ url }: Example, shop?: string): Promise<Answer> =>
  ask(`${url}/orders/A1`, { headers: shop === undefined ? {} : { 'x-shop': shop } });

/** Who showed the order. */
async function shownBy(example: Example, shop?: string): Promise<string> {
  const { status, body } = await show(example, shop);
  assert.equal(status, 200, JSON.stringify(body));
  const { from, ...order } = body as { readonly from: string };
  assert.deepEqual(order, { id: 'A1', sku: 'tea', total: 4600 });
  return from;
}

async function shown(example: Example, times: number): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (let turn = 0; turn < times; turn++) {
    const from = await shownBy(example);
    counts[from] = (counts[from] ?? 0) + 1;
  }
  return counts;
}

describe('strangler façade', () => {
  let example: Example;
  before(async () => {
    example = await startExample('strangler-facade');
  });
  after(() => example[Symbol.asyncDispose]());

  test('orders are shown by both shops, most of them by the old one', async () => {
    const { old = 0, new: young = 0 } = await shown(example, 200);
    // Expected 40 with a standard deviation of 5.7: outside of this once in ten billion runs.
    assert.ok(young > 3 && young < 77 && old + young === 200, `${old} and ${young}`);
  });

  test('a header asks for one of them; what it cannot name counts for nothing', async () => {
    for (let turn = 0; turn < 10; turn++) {
      assert.equal(await shownBy(example, 'new'), 'new');
      assert.equal(await shownBy(example, 'old'), 'old');
    }
    await shownBy(example, 'http://127.0.0.1:1');
  });

  test('what the new shop cannot do goes to the old one, with method, query, body and status', async () => {
    const placed = await post(`${example.url}/orders`, { sku: 'mug' });
    assert.equal(placed.status, 201);
    assert.partialDeepStrictEqual(placed.body, { sku: 'mug', from: 'old' });
    const voucher = await ask(`${example.url}/vouchers/A%20B?currency=EUR`);
    assert.deepEqual(voucher.body, { code: 'A B', percent: 10, currency: 'EUR', from: 'old' });
    assert.equal((await post(`${example.url}/orders`, {})).status, 400);
  });

  test('an order that nobody has is not found, whoever was asked', async () => {
    for (const shop of ['old', 'new']) {
      const { status, body } = await ask(`${example.url}/orders/A9`, { headers: { 'x-shop': shop } });
      assert.deepEqual([status, body], [404, { error: 'http-404' }]);
    }
  });
});

test('when the new shop is down nobody notices but who asks for it; when it is back it is asked again', async () => {
  await using example = await startExample('strangler-facade', { OLD_WEIGHT: '1', NEW_WEIGHT: '99' });
  assert.equal(await shownBy(example, 'new'), 'new');
  const { port } = new URL(example.backend('shop-new').url);
  await example.backend('shop-new').stop('SIGKILL');
  assert.deepEqual(await shown(example, 20), { old: 20 });
  assert.equal((await show(example, 'new')).status, 503);
  await using _again = await startBackend('shop-new', { PORT: port });
  await eventually('the new shop shows orders again', async () => (await shownBy(example)) === 'new', 30_000);
});
