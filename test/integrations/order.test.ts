import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Environment } from '../support/child-process.ts';
import { startDowel } from '../support/dowel-process.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { service } from '../support/http-service.ts';
import { type Answer, ask, type Example, folder, nobody, post, startBackend, startExample } from './example.ts';

const key = 'demo-key';
const good = { sku: 'tea', quantity: 2, country: 'DE' };

/** What payments did for an order. */
async function charges(payments: string, order?: string): Promise<unknown> {
  const query = order === undefined ? '' : `?order=${order}`;
  const { status, body } = await ask(`${payments}/charges${query}`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal(status, 200);
  return body;
}

function temporary(t: Pick<TestContext, 'after'>): string {
  const made = mkdtempSync(join(tmpdir(), 'dowel-order-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

interface AuditLine {
  readonly at: string;
  readonly order: string;
  readonly charge: string;
  readonly shipment: string;
}

function auditLines(file: string): readonly AuditLine[] {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    assert.equal(lines.pop(), '', 'the file ends with a whole line');
    return lines.map((line) => JSON.parse(line) as AuditLine);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

const home = mkdtempSync(join(tmpdir(), 'dowel-order-'));
const auditFile = join(home, 'audit.jsonl');
/** For all who break nothing; orders have names of their own. */
let example: Example;

before(async () => {
  example = await startExample('order', { AUDIT_FILE: auditFile });
});
after(async () => {
  await example[Symbol.asyncDispose]();
  rmSync(home, { recursive: true });
});

/** One of a test's own, where something is otherwise; the other backends are those of all. */
const startOther = (t: Pick<TestContext, 'after'>, env: Environment): Promise<Example> =>
  startExample('order', { AUDIT_FILE: join(temporary(t), 'audit.jsonl'), ...example.urls, ...env });
const chargesOf = (order: string): Promise<unknown> => charges(example.backend('payments').url, order);

describe('the order scenario', () => {
  const place = (order: unknown): Promise<Answer> => post(`${example.url}/orders`, order);
  const audited = (order: string): readonly AuditLine[] => auditLines(auditFile).filter((one) => one.order === order);

  test('a good order is charged once, shipped, and told to the audit', async () => {
    const { status, body } = await place({ orderId: 'good-1', ...good });
    assert.equal(status, 201);
    assert.deepEqual(body, { orderId: 'good-1', charged: 900, shipment: 'sh_good-1' });
    const [charge] = (await chargesOf('good-1')) as readonly { id: string }[];
    assert.deepEqual(charge, { id: charge?.id, order: 'good-1', amount: 900, state: 'charged' });
    await eventually('the audit has the order', () => audited('good-1').length > 0);
    const [line, ...more] = audited('good-1');
    assert.deepEqual(more, []);
    assert.deepEqual(line, { at: line?.at, order: 'good-1', charge: charge?.id, shipment: 'sh_good-1' });
    assert.match(line?.at ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  test('all that is there can be bought, one more cannot', async () => {
    assert.equal((await place({ orderId: 'all', sku: 'mug', quantity: 3, country: 'AT' })).status, 201);
    const { status, body } = await place({ orderId: 'more', sku: 'mug', quantity: 4, country: 'AT' });
    assert.equal(status, 409);
    assert.deepEqual(body, { error: 'out of stock', available: 3 });
    assert.deepEqual(await chargesOf('more'), []);
  });

  test('an unknown article is named, and nothing is charged', async () => {
    const { status, body } = await place({ orderId: 'sofa', ...good, sku: 'sofa' });
    assert.equal(status, 422);
    assert.deepEqual(body, { error: 'unknown article', sku: 'sofa' });
    assert.deepEqual(await chargesOf('sofa'), []);
  });

  test('a declined card ends the order before it is shipped', async () => {
    const { status, body } = await place({ orderId: 'piano', ...good, sku: 'piano', quantity: 1 });
    assert.equal(status, 402);
    assert.deepEqual(body, { error: 'the card was declined' });
    assert.deepEqual(await chargesOf('piano'), []);
  });

  test('when nobody delivers there the charge is given back, once, and the audit hears nothing', async () => {
    const { status, body } = await place({ orderId: 'south', ...good, country: 'AQ' });
    assert.equal(status, 422);
    assert.deepEqual(body, { error: 'no delivery to AQ; the charge was refunded' });
    const made = (await chargesOf('south')) as readonly { state: string }[];
    assert.deepEqual(
      made.map((one) => one.state),
      ['refunded'],
    );
    // The audit is written in order: had it heard of the order before, the line would stand before the next one's.
    assert.equal((await place({ orderId: 'after-south', ...good })).status, 201);
    await eventually('the audit has the next order', () => audited('after-south').length > 0);
    assert.deepEqual(audited('south'), []);
  });

  test('what is no order is refused, with every finding, before anything is asked', async () => {
    const bad: readonly [unknown, number, RegExp][] = [
      [{ orderId: 'bad', sku: 'tea', quantity: 'two' }, 400, /must have `country`.*\/quantity/],
      [{ orderId: 'bad', ...good, quantity: 0 }, 400, /\/quantity/],
      [{ orderId: 'bad', ...good, sku: '../prices' }, 400, /\/sku/],
      [{ orderId: 'bad', ...good, discount: 100 }, 400, /discount/],
      [[], 400, /object/],
      [null, 400, /object/],
    ];
    for (const [order, expected, findings] of bad) {
      const { status, headers, body } = await place(order);
      assert.equal(status, expected, JSON.stringify(body));
      assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/);
      const problem = body as Readonly<Record<string, unknown>>;
      assert.equal(problem['code'], 'validation');
      assert.equal(problem['outcome'], 'none');
      assert.match(JSON.stringify(problem['findings']), findings);
    }
    assert.deepEqual(await chargesOf('bad'), []);
  });

  test('what cannot be read at all is refused too', async () => {
    const url = `${example.url}/orders`;
    const send = (contentType: string, body: string): Promise<Answer> =>
      ask(url, { method: 'POST', headers: { 'content-type': contentType }, body });
    const broken = await send('application/json', '{ "orderId": ');
    assert.equal(broken.status, 400);
    assert.equal((broken.body as { code: string }).code, 'malformed');
    assert.equal((await send('image/png', 'x')).status, 415);
    assert.equal((await send('application/json', `"${'x'.repeat(2 ** 20)}"`)).status, 413);
    assert.equal((await ask(url)).status, 405);
    assert.equal((await ask(`${example.url}/nothing`)).status, 404);
  });

  test('many at once do not disturb each other', async () => {
    const ids = Array.from({ length: 60 }, (_, index) => `many-${index}`);
    const answers = await Promise.all(
      ids.map((orderId, index) => place({ orderId, ...good, quantity: (index % 5) + 1 })),
    );
    for (const [index, { status, body }] of answers.entries()) {
      assert.equal(status, 201);
      assert.deepEqual(body, {
        orderId: ids[index],
        charged: 450 * ((index % 5) + 1),
        shipment: `sh_${ids[index]}`,
      });
    }
    const isMany = (one: { readonly order: string }): boolean => one.order.startsWith('many-');
    const all = (await charges(example.backend('payments').url)) as readonly { order: string }[];
    assert.deepEqual(
      all
        .filter(isMany)
        .map((one) => one.order)
        .sort(),
      [...ids].sort(),
    );
    await eventually('the audit has all', () => auditLines(auditFile).filter(isMany).length >= ids.length);
    const told = auditLines(auditFile).filter(isMany);
    assert.deepEqual(told.map((one) => one.order).sort(), [...ids].sort());
    assert.equal(new Set(told.map((one) => one.charge)).size, ids.length);
  });
});

describe('the order scenario, when a backend is down', () => {
  test('inventory: 503, and nothing is charged', async (t) => {
    await using other = await startOther(t, { INVENTORY_URL: await nobody() });
    const { status, headers, body } = await post(`${other.url}/orders`, { orderId: 'd1', ...good });
    assert.equal(status, 503);
    assert.equal(headers.get('retry-after'), '5');
    assert.deepEqual(body, { error: 'connection' });
    assert.deepEqual(await chargesOf('d1'), []);
  });

  test('payments: 503; and 201 as soon as it is back', async (t) => {
    const port = String(await freePort());
    const PAYMENTS_URL = `http://127.0.0.1:${port}`;
    await using payments = await startBackend('payments', { PORT: port });
    await using other = await startOther(t, { PAYMENTS_URL });
    const place = (): Promise<Answer> => post(`${other.url}/orders`, { orderId: 'd2', ...good });
    assert.equal((await place()).status, 201);
    await payments.stop('SIGKILL');
    const down = await place();
    assert.equal(down.status, 503);
    assert.deepEqual(down.body, { error: 'connection' });
    await using again = await startBackend('payments', { PORT: port });
    assert.deepEqual(await charges(again.url), []);
    assert.equal((await place()).status, 201);
    assert.equal(((await charges(again.url)) as unknown[]).length, 1);
  });

  test('shipping: 503, and the charge is given back', async (t) => {
    await using other = await startOther(t, { SHIPPING_URL: await nobody() });
    const { status, body } = await post(`${other.url}/orders`, { orderId: 'd3', ...good });
    assert.equal(status, 503);
    assert.deepEqual(body, { error: 'connection' });
    const made = (await chargesOf('d3')) as readonly { readonly id: string }[];
    assert.deepEqual(made, [{ id: made[0]?.id, order: 'd3', amount: 900, state: 'refunded' }]);
  });

  test('an inventory that answers nonsense: 503, for the order was right', async (t) => {
    const INVENTORY_URL = await service(t, (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{ "available": ');
    });
    await using other = await startOther(t, { INVENTORY_URL });
    const { status, body } = await post(`${other.url}/orders`, { orderId: 'd7', ...good });
    assert.equal(status, 503);
    assert.deepEqual(body, { error: 'invalid-response' });
    assert.deepEqual(await chargesOf('d7'), []);
  });

  test('an inventory that stumbles is asked again, and the order goes through, charged once', async (t) => {
    let asked = 0;
    const INVENTORY_URL = await service(t, (_request, response) => {
      asked++;
      response.writeHead(asked <= 2 ? 503 : 200, { 'content-type': 'application/json' });
      response.end('{ "available": 9, "amount": 450 }');
    });
    await using other = await startOther(t, { INVENTORY_URL });
    const { status, body } = await post(`${other.url}/orders`, { orderId: 'd8', ...good });
    assert.equal(status, 201, JSON.stringify(body));
    assert.equal(asked, 4);
    assert.equal(((await chargesOf('d8')) as unknown[]).length, 1);
  });

  test('an inventory that goes on failing is left alone: 503 without asking it', async (t) => {
    let asked = 0;
    const INVENTORY_URL = await service(t, (_request, response) => {
      asked++;
      response.writeHead(500).end();
    });
    await using other = await startOther(t, { INVENTORY_URL });
    const place = (): Promise<Answer> => post(`${other.url}/orders`, { orderId: 'd9', ...good });
    const isOpen = async (): Promise<boolean> => JSON.stringify((await place()).body).includes('circuit-open');
    await eventually('the breaker opens', isOpen);
    const before = asked;
    const { status, headers, body } = await place();
    assert.equal(status, 503);
    assert.equal(headers.get('retry-after'), '5');
    assert.deepEqual(body, { error: 'circuit-open' });
    assert.equal(asked, before);
    assert.deepEqual(await chargesOf('d9'), []);
  });

  test('an inventory that does not answer: 503 when its timeout is over', async (t) => {
    await using other = await startOther(t, { INVENTORY_URL: await service(t, () => {}) });
    const { status, body } = await post(`${other.url}/orders`, { orderId: 'd4', ...good });
    assert.equal(status, 503);
    assert.deepEqual(body, { error: 'timeout' });
    assert.deepEqual(await chargesOf('d4'), []);
  });

  test('an audit file that cannot be written is for the log: orders go on', async (t) => {
    const audits = join(temporary(t), 'audits');
    await using other = await startOther(t, { AUDIT_FILE: join(audits, 'audit.jsonl') });
    rmSync(audits, { recursive: true, force: true });
    writeFileSync(audits, 'a file where the folder was');
    assert.equal((await post(`${other.url}/orders`, { orderId: 'd5', ...good })).status, 201);
    await other.main.until('the log says so', () => other.main.log.some((line) => line.level === 'error'));
    const line = other.main.log.find((one) => one.level === 'error');
    assert.match(JSON.stringify(line), /audit/);
    assert.equal((await post(`${other.url}/orders`, { orderId: 'd6', ...good })).status, 201);
  });
});

describe('the key for payments', () => {
  test('is sent from the file that PAYMENTS_KEY_FILE names, and stands in no log and no answer', async (t) => {
    const made = temporary(t);
    const secret = 'canary-8f3a1c';
    const file = join(made, 'key');
    writeFileSync(file, `${secret}\n`);
    await using payments = await startBackend('payments', { KEY: secret });
    await using other = await startOther(t, {
      PAYMENTS_URL: payments.url,
      PAYMENTS_KEY_FILE: file,
      LOG_LEVEL: 'debug',
    });
    const { status, body } = await post(`${other.url}/orders`, { orderId: 'k1', ...good });
    assert.equal(status, 201, JSON.stringify(body));
    await payments.stop('SIGKILL');
    const failed = await post(`${other.url}/orders`, { orderId: 'k2', ...good });
    await other.main.stop();
    for (const text of [other.main.stdout, other.main.stderr, JSON.stringify(failed.body)]) {
      assert.ok(!text.includes(secret), text);
    }
  });

  test('that is wrong charges nothing', async (t) => {
    await using other = await startOther(t, { PAYMENTS_KEY: 'wrong' });
    const { status, body } = await post(`${other.url}/orders`, { orderId: 'k3', ...good });
    assert.equal(status, 502);
    assert.equal((body as { code: string }).code, 'http-401');
    assert.equal((body as { outcome: string }).outcome, 'none');
    assert.deepEqual(await chargesOf('k3'), []);
  });

  test('is asked for by payments', async () => {
    const { url } = example.backend('payments');
    for (const headers of [{}, { authorization: 'Bearer nonsense' }] as const) {
      assert.equal((await ask(`${url}/charges`, { headers })).status, 401);
    }
  });
});

test('an order on its way is finished when the integration is told to stop', async (t) => {
  // Holds the charge until the integration has been told to stop.
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let asked = false;
  const PAYMENTS_URL = await service(t, async (_request, response) => {
    asked = true;
    await held;
    response.writeHead(201, { 'content-type': 'application/json' }).end('{"id":"ch_9","amount":900}');
  });
  const audited = join(temporary(t), 'audit.jsonl');
  await using other = await startOther(t, { PAYMENTS_URL, AUDIT_FILE: audited });
  const answer = post(`${other.url}/orders`, { orderId: 'last', ...good });
  await eventually('payments is asked', () => asked);
  other.main.kill('SIGTERM');
  await other.main.until('it is stopping', () => other.main.logged('stopping') !== undefined);
  release();
  assert.equal((await answer).status, 201);
  assert.deepEqual(await other.main.ended, { code: 0, signal: null });
  assert.deepEqual(
    auditLines(audited).map((one) => one.order),
    ['last'],
  );
});

test('a wrong setting is explained, and nothing starts', async () => {
  const file = join(folder, 'order', 'integration.yaml');
  await assert.rejects(startDowel(file, { env: { PORT: 'eighty', INVENTORY_URL: 'not a url' } }), (error: Error) => {
    assert.match(error.message, /exit 78/);
    assert.match(error.message, /PORT/);
    assert.match(error.message, /INVENTORY_URL/);
    return true;
  });
});
