import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { service } from '../support/http-service.ts';
import { post, startExample } from './example.ts';

test('parcels that shipping does not take are booked in order when it does, over a crash', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-forward-'));
  t.after(() => rmSync(folder, { recursive: true }));
  let away = true;
  const booked: string[] = [];
  const SHIPPING_URL = await service(t, (request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => {
      if (away) {
        response.writeHead(503).end();
        return;
      }
      const { order } = JSON.parse(text) as { readonly order: string };
      booked.push(order);
      response.writeHead(201, { 'content-type': 'application/json' }).end(`{ "id": "sh_${order}", "days": 1 }`);
    });
  });
  const audit = join(folder, 'parcels.jsonl');
  const env = { SHIPPING_URL, STORE_FILE: join(folder, 'store.db'), AUDIT_FILE: audit };
  const orders = ['A1', 'A2', 'A3', 'A4'];
  const ids: unknown[] = [];
  const first = await startExample('store-and-forward', env);
  for (const order of orders) {
    const { status, body } = await post(`${first.url}/parcels`, { order, country: 'DE' });
    assert.equal(status, 202);
    ids.push((body as { readonly id: string }).id);
  }
  await eventually('it was tried', () => first.main.logged('a message will be redelivered') !== undefined);
  assert.equal(first.main.logged('a message will be redelivered')?.['exchange'], ids[0]);
  first.main.kill('SIGKILL');
  await first.main.ended;
  away = false;
  await using second = await startExample('store-and-forward', env);
  await post(`${second.url}/parcels`, { order: 'A1', country: 'DE' });
  const lines = (): readonly string[] => (existsSync(audit) ? readFileSync(audit, 'utf8').trim().split('\n') : []);
  await eventually('all are written down', () => lines().length === orders.length, 30_000);
  assert.deepEqual(booked, orders);
  const events = lines().map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  assert.deepEqual(
    events.map(({ specversion, id, source, type, subject, data }) => [specversion, id, source, type, subject, data]),
    orders.map((order) => [
      '1.0',
      `booked-${order}`,
      '/parcels',
      'com.example.parcel.booked',
      order,
      { order, shipment: `sh_${order}`, days: 1 },
    ]),
  );
});
