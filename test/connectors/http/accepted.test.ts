import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { eventually } from '../../support/eventually.ts';
import { recordingLog } from '../../support/plain-context.ts';
import { findings, integrationOf, startIntegration, startService } from './support.ts';

const orders = (steps: string, more = '', from = ''): Parameters<typeof integrationOf>[0] => ({
  orders: { from: `http: { method: POST, path: "/orders/{id}", reply: accepted${from} }`, steps, more },
});

const forward = `
- call:
    endpoint: books
    http: { method: POST, path: "/\${{ $params.id }}", headers: { x-message: "\${{ $exchange.id }}" } }
    body: { got: "\${{ $ }}", query: "\${{ $query.kind }}", agent: "\${{ $headers.'x-agent' }}", attempt: "\${{ $exchange.attempt }}" }`;

const booksAt = (url: string): string => `books: { http: { url: "${url}" } }`;

const post = (url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

describe('an http source with `reply: accepted`', () => {
  it('answers 202 with the id of the message, before the flow is done; the flow gets all of the request', async (t) => {
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const books = await startService(t, (_, response) => void finished.then(() => response.end()));
    const { url } = await startIntegration(t, integrationOf(orders(forward), booksAt(books.url)));
    const answer = await post(`${url}/orders/7?kind=x`, { sku: 'tea' }, { 'x-agent': 'till' });
    assert.equal(answer.status, 202);
    assert.equal(answer.headers.get('content-type'), 'application/json');
    const { id } = (await answer.json()) as { readonly id: string };
    assert.match(id, /^[\da-f-]{36}$/);
    assert.equal(answer.headers.get('x-request-id'), id);
    await eventually('the requests came', () => books.requests.length === 1);
    finish();
    const [request] = books.requests;
    assert.equal(request?.url, '/7');
    assert.equal(request?.headers['x-message'], id);
    assert.deepEqual(JSON.parse(request?.body ?? ''), { got: { sku: 'tea' }, query: 'x', agent: 'till', attempt: 1 });
  });

  it('takes a body of any kind, and none', async (t) => {
    const books = await startService(t, (_, response) => response.end());
    const steps = '- call: { endpoint: books, http: { method: POST, path: /x } }';
    const { url } = await startIntegration(t, integrationOf(orders(steps), booksAt(books.url)));
    const bytes = Uint8Array.of(0, 200, 10, 13);
    await fetch(`${url}/orders/1`, { method: 'POST', body: bytes, headers: { 'content-type': 'image/png' } });
    await fetch(`${url}/orders/2`, { method: 'POST' });
    await eventually('the requests came', () => books.requests.length === 2);
    assert.equal(books.requests[0]?.headers['content-type'], 'image/png');
    assert.equal(books.requests[1]?.body, '');
  });

  it('goes on under the redelivery of the flow: in order, each attempt with a deadline of its own', async (t) => {
    let calls = 0;
    const books = await startService(t, (_, response) => {
      calls++;
      if (calls === 2) return; // never answers
      response.statusCode = calls === 1 ? 503 : 200;
      response.end();
    });
    const more = 'deadline: 300ms\nredelivery: { maxAttempts: 5, delay: 10ms, factor: 1, maxDelay: 10ms }';
    const { url } = await startIntegration(t, integrationOf(orders(forward, more), booksAt(books.url)));
    for (const number of [1, 2]) assert.equal((await post(`${url}/orders/${number}`, {})).status, 202);
    await eventually('the requests came', () => books.requests.length === 4);
    assert.deepEqual(
      books.requests.map((one) => one.url),
      ['/1', '/1', '/1', '/2'],
    );
    assert.equal(JSON.parse(books.requests[2]?.body ?? '').attempt, 3);
  });

  it('works on as many at once as `concurrency` says', async (t) => {
    const books = await startService(t, () => {});
    const yaml = integrationOf(orders(forward, 'concurrency: 3'), booksAt(books.url));
    const { url } = await startIntegration(t, yaml);
    for (let number = 0; number < 5; number++) await post(`${url}/orders/${number}`, {});
    await eventually('the requests came', () => books.requests.length === 3);
    await post(`${url}/orders/last`, {});
    assert.equal(books.requests.length, 3);
  });

  it('answers 503 and keeps nothing when the store cannot be used', async (t) => {
    const log = recordingLog();
    const store = new MemoryStore(systemClock, log);
    const books = await startService(t, (_, response) => response.end());
    const { url } = await startIntegration(t, integrationOf(orders(forward), booksAt(books.url)), { store });
    assert.equal((await post(`${url}/orders/1`, {})).status, 202);
    await eventually('the requests came', () => books.requests.length === 1);
    await store.close();
    const answer = await post(`${url}/orders/2`, {});
    assert.equal(answer.status, 503);
    const problem = (await answer.json()) as Readonly<Record<string, unknown>>;
    assert.deepEqual([problem['code'], problem['outcome']], ['store', 'none']);
  });

  it('answers 503 with Retry-After when too many wait, 413 when the body is too large', async (t) => {
    const books = await startService(t, () => {});
    const yaml = integrationOf(orders(forward, '', ', capacity: 2, maxBody: 100b'), booksAt(books.url));
    const { url } = await startIntegration(t, yaml);
    for (const number of [1, 2]) assert.equal((await post(`${url}/orders/${number}`, {})).status, 202);
    const full = await post(`${url}/orders/3`, {});
    assert.deepEqual([full.status, full.headers.get('retry-after')], [503, '1']);
    assert.equal((await post(`${url}/orders/3`, 'x'.repeat(200))).status, 413);
  });

  it('with `idempotent` a repeat is answered 202 too, and the flow does nothing for it', async (t) => {
    const books = await startService(t, (_, response) => response.end());
    const steps = `- idempotent: { key: "$headers.'idempotency-key'" }${forward}`;
    const { url, log } = await startIntegration(t, integrationOf(orders(steps), booksAt(books.url)));
    const key = { 'idempotency-key': 'k1' };
    for (let times = 0; times < 2; times++) assert.equal((await post(`${url}/orders/1`, {}, key)).status, 202);
    assert.equal((await post(`${url}/orders/2`, {}, { 'idempotency-key': 'k2' })).status, 202);
    await eventually('the requests came', () => books.requests.length === 2);
    assert.deepEqual(
      books.requests.map((one) => one.url),
      ['/1', '/2'],
    );
    assert.deepEqual(
      log.lines.filter((line) => line.level === 'error'),
      [],
    );
  });

  it('a reload takes over what waits', async (t) => {
    let up = false;
    const books = await startService(t, (_, response) => {
      response.statusCode = up ? 200 : 503;
      response.end();
    });
    const more = 'redelivery: { maxAttempts: 1000, delay: 20ms, factor: 1, maxDelay: 20ms }';
    const version = (description: string): string =>
      integrationOf(orders(forward, `${more}\ndescription: ${description}`), booksAt(books.url));
    const { url, swap } = await startIntegration(t, version('one'));
    for (const number of [1, 2]) await post(`${url}/orders/${number}`, {});
    await swap(version('two'));
    up = true;
    await eventually('the requests came', () => books.requests.at(-1)?.url === '/2');
    assert.equal((await post(`${url}/orders/3`, {})).status, 202);
    await eventually('the requests came', () => books.requests.at(-1)?.url === '/3');
  });
});

describe('validate finds in a source with `reply: accepted`', () => {
  it('a respond that nobody awaits', async () => {
    const [finding] = await findings(integrationOf(orders('- respond: { status: 201 }')));
    assert.match(String(finding), /Nobody awaits this `respond`: with `reply: accepted` the caller is answered before/);
  });

  it('a body that the store cannot keep, a capacity of nothing', async () => {
    const [tooLarge] = await findings(integrationOf(orders('- stop: {}', '', ', maxBody: 20mb')));
    assert.match(String(tooLarge), /^\/flows\/orders\/from\/http\/maxBody: .*up to `15mb`/);
    const plain = { orders: { from: 'http: { path: /, capacity: 5 }', steps: '- respond: {}' } };
    const [noQueue] = await findings(integrationOf(plain));
    assert.match(String(noQueue), /^\/flows\/orders\/from\/http\/capacity: .*add `reply: accepted`/);
  });
});
