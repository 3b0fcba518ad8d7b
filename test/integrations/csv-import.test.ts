import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import type { Environment } from '../support/child-process.ts';
import { withPackage } from '../support/debian-server.ts';
import { eventually } from '../support/eventually.ts';
import { RabbitmqServer, rabbitmqProgram } from '../support/rabbitmq-server.ts';
import { type Answer, ask, type Example, folder, startExample } from './example.ts';
import { testPage } from './page.ts';

let broker: RabbitmqServer;

const settings = (temporary: string): Environment => {
  mkdirSync(join(temporary, 'inbox'), { recursive: true });
  return {
    AMQP_URL: broker.url,
    INBOX: join(temporary, 'inbox'),
    REJECTED_FILE: join(temporary, 'rejected.jsonl'),
    ORDERS_FILE: join(temporary, 'orders.jsonl'),
    STORE_FILE: join(temporary, 'csv-import.db'),
  };
};

/** Where an import works: a folder of its own, with what comes out of it. */
class Place {
  readonly path = mkdtempSync(join(tmpdir(), 'dowel-csv-'));
  readonly env: Environment = settings(this.path);

  constructor(t: TestContext) {
    t.after(() => rmSync(this.path, { recursive: true }));
  }

  start(): Promise<Example> {
    return startExample('csv-import', this.env);
  }

  /** Whole at once, as a careful program would. */
  put(name: string, text: string): void {
    writeFileSync(join(this.path, name), text);
    renameSync(join(this.path, name), join(this.path, 'inbox', name));
  }

  isDone(name: string): boolean {
    const done = join(this.path, 'inbox', '.done');
    return existsSync(done) && readdirSync(done).includes(name);
  }

  lines(name: string): readonly Readonly<Record<string, unknown>>[] {
    const file = join(this.path, name);
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    // What has no end yet is being written.
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }

  /** Each once; others may have left theirs in the queue. */
  ordersOf(letter: string): ReadonlySet<string> {
    return new Set(this.orders.filter((order) => order.startsWith(letter)));
  }

  get orders(): readonly string[] {
    return this.lines('orders.jsonl').map(({ order }) => String(order));
  }
}

const rows = (letter: string, count: number): string =>
  `order,sku,quantity\n${Array.from({ length: count }, (_, n) => `${letter}${n},tea,${1 + (n % 9)}\n`).join('')}`;
const expected = (letter: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => `${letter}${n}`).sort();
const upload = ({ url }: Example, text: string): Promise<Answer> =>
  ask(`${url}/imports`, { method: 'POST', headers: { 'content-type': 'text/csv' }, body: text });

withPackage('rabbitmq-server', rabbitmqProgram, 'the import of CSV', () => {
  before(async () => {
    broker = await RabbitmqServer.start();
  });
  after(() => broker[Symbol.asyncDispose]());

  testPage('csv-import', settings);

  test('of the file that comes with it: three orders, and what was wrong with the other rows', async (t) => {
    const place = new Place(t);
    await using _example = await place.start();
    copyFileSync(join(folder, 'csv-import', 'orders.csv'), join(place.path, 'orders.csv'));
    renameSync(join(place.path, 'orders.csv'), join(place.path, 'inbox', 'orders.csv'));
    await eventually('the file is done', () => place.isDone('orders.csv') && place.orders.length === 3, 30_000);
    assert.deepEqual(
      place.lines('orders.jsonl').toSorted((a, b) => String(a['order']).localeCompare(String(b['order']))),
      [
        { order: 'A1', sku: 'tea', quantity: 2 },
        { order: 'A2', sku: 'mug', quantity: 1 },
        { order: 'A5', sku: 'mug', quantity: 12 },
      ],
    );
    const page = readFileSync(join(folder, 'csv-import', 'README.md'), 'utf8');
    const shown = /```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    assert.deepEqual(place.lines('rejected.jsonl'), [JSON.parse(shown)]);
  });

  test('the same row again is the same order', async (t) => {
    const place = new Place(t);
    await using example = await place.start();
    for (const count of [50, 60]) {
      const { status, body } = await upload(example, rows('C', count));
      assert.deepEqual([status, body], [200, { rows: count, rejected: 0, errors: [] }]);
    }
    await eventually('all orders are there', () => place.orders.length >= 60, 30_000);
    assert.deepEqual(place.orders.toSorted(), expected('C', 60));
  });

  test('the process is killed in the middle: no row is lost, and none is worked on twice but what was in flight', async (t) => {
    const place = new Place(t);
    const count = 2000;
    {
      await using example = await place.start();
      place.put('many.csv', rows('D', count));
      await eventually('some orders are there', () => place.orders.length > 20, 30_000);
      assert.ok(!place.isDone('many.csv'));
      await example.main.stop('SIGKILL');
    }
    await using _again = await place.start();
    await eventually('the file is done', () => place.isDone('many.csv'), 60_000);
    await eventually('all orders are there', () => place.ordersOf('D').size === count, 60_000);
    assert.deepEqual([...place.ordersOf('D')].sort(), expected('D', count));
    assert.ok(place.orders.length <= count + 20, `${place.orders.length - count} twice`);
  });

  test('the broker is killed in the middle, and comes back: no row is lost or left out', async (t) => {
    const place = new Place(t);
    const count = 1000;
    await using _example = await place.start();
    place.put('broken.csv', rows('E', count));
    await eventually('some orders are there', () => place.orders.length > 20, 30_000);
    await broker.kill();
    await broker.start();
    await eventually('the file is done', () => place.isDone('broken.csv'), 60_000);
    await eventually('all orders are there', () => place.ordersOf('E').size === count, 60_000);
    assert.deepEqual([...place.ordersOf('E')].sort(), expected('E', count));
    assert.deepEqual(place.lines('rejected.jsonl'), []);
  });
});
