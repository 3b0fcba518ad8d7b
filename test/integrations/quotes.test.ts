import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { service } from '../support/http-service.ts';
import { type Answer, type Example, post, startBackend, startExample } from './example.ts';

interface Quote {
  readonly best: { readonly supplier: string; readonly cents: number; readonly days: number };
  readonly offers: number;
  readonly failed?: Readonly<Record<string, string>>;
}

const ask = ({ url }: Example, sku: string, quantity = 10): Promise<Answer> => post(`${url}/quotes`, { sku, quantity });

/** The quote for mugs, which all three sell. */
async function mugs(example: Example): Promise<Quote> {
  const { status, body } = await ask(example, 'mug');
  assert.equal(status, 200, JSON.stringify(body));
  return body as Quote;
}

/** What each supplier wants for ten mugs. */
const prices: Readonly<Record<string, number>> = { north: 11_500, south: 12_000, east: 10_900 };

let example: Example;
before(async () => {
  example = await startExample('quotes');
});
after(() => example[Symbol.asyncDispose]());

describe('quotes of several suppliers', () => {
  test('the better of two offers is taken, whoever made it, and whatever the third one says', async () => {
    const few = await ask(example, 'tea', 10);
    assert.equal(few.status, 200);
    assert.partialDeepStrictEqual(few.body, { best: { supplier: 'north', cents: 4600, days: 2 }, offers: 2 });
    const many = await ask(example, 'tea', 12);
    assert.partialDeepStrictEqual(many.body, { best: { supplier: 'south', cents: 5184, days: 4 }, offers: 2 });
  });

  test('each supplier is understood in its own words', async () => {
    const { best, offers } = await mugs(example);
    assert.equal(offers, 2);
    assert.equal(best.cents, prices[best.supplier]);
  });

  test('what only one of them has is not found, with the reasons', async () => {
    const { status, body } = await ask(example, 'kettle');
    assert.equal(status, 404);
    const { reasons, ...rest } = body as { readonly error: string; readonly reasons: readonly string[] };
    assert.deepEqual(rest, { error: 'fewer than two suppliers have kettle' });
    assert.deepEqual([...reasons].sort(), ['east: east answered 404', 'north: north answered 404']);
  });

  test('what is no question is refused', async () => {
    for (const [sku, quantity] of [
      ['', 1],
      ['../prices', 1],
      ['mug', 0],
      ['mug', 1.5],
    ] as const) {
      assert.equal((await ask(example, sku, quantity)).status, 400, `${sku} ${quantity}`);
    }
  });
});

describe('quotes, when a supplier', () => {
  test('is down: the two others are enough; with two down there is no quote: 503, with the reasons', async () => {
    await using north = await startBackend('supplier-north');
    await using east = await startBackend('supplier-east');
    await using other = await startExample('quotes', { ...example.urls, NORTH_URL: north.url, EAST_URL: east.url });
    await north.stop('SIGKILL');
    assert.equal((await mugs(other)).best.supplier, 'east');
    // Tea is sold by two only: one of them may be back later.
    assert.equal((await ask(other, 'tea')).status, 503);
    await east.stop('SIGKILL');
    const { status, headers, body } = await ask(other, 'mug');
    assert.equal(status, 503);
    assert.equal(headers.get('retry-after'), '5');
    const { error, reasons } = body as { readonly error: string; readonly reasons: readonly string[] };
    assert.equal(error, 'too few suppliers have answered');
    assert.deepEqual(reasons.map((one) => one.split(':')[0]).sort(), ['east', 'north']);
  });

  test('never answers: the two others are enough, and it is not waited for', async (t) => {
    let left = 0;
    const NORTH_URL = await service(t, (request) => {
      request.socket.once('close', () => left++);
    });
    await using other = await startExample('quotes', { ...example.urls, NORTH_URL });
    await eventually('whoever was asked is told that it is not needed any more', async () => {
      assert.equal((await mugs(other)).best.supplier, 'east');
      return left > 0;
    });
  });

  test('and another one never answer: 503 when their time is over', async (t) => {
    const silent = await service(t, () => {});
    await using other = await startExample('quotes', {
      ...example.urls,
      NORTH_URL: silent,
      SOUTH_URL: silent,
    });
    assert.equal((await ask(other, 'mug')).status, 503);
  });

  test('goes on failing: its breaker opens, it is not asked any more, and the others give quotes as before', async (t) => {
    let asked = 0;
    const NORTH_URL = await service(t, (_request, response) => {
      asked++;
      response.writeHead(500).end();
    });
    await using other = await startExample('quotes', { ...example.urls, NORTH_URL });
    const isOpen = async (): Promise<boolean> => (await mugs(other)).failed?.['north'] === 'circuit-open';
    await eventually('the breaker opens', isOpen);
    const before = asked;
    const { best, failed } = await mugs(other);
    assert.equal(best.supplier, 'east');
    assert.deepEqual(failed, { north: 'circuit-open' });
    assert.equal(asked, before);
    const line = other.main.log.find((one) => one.message === 'circuit breaker changed');
    assert.partialDeepStrictEqual(line, { level: 'warn', endpoint: 'north', state: 'open' });
  });
});
