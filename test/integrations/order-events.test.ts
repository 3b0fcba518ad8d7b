import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { connect } from 'amqplib';
import { withPackage } from '../support/debian-server.ts';
import { type DowelProcess, runDowel, startDowel } from '../support/dowel-process.ts';
import { eventually } from '../support/eventually.ts';
import { fences, requestOf } from '../support/page.ts';
import { RabbitmqServer, rabbitmqProgram } from '../support/rabbitmq-server.ts';
import { ask, folder, post } from './example.ts';

const fileOf = (part: string): string => join(folder, 'order-events', part, 'integration.yaml');

interface Written {
  readonly event?: string;
  readonly order?: string;
  readonly orderId?: string;
  readonly invoice?: string;
  readonly amount?: number;
}

/** The processes of the example, with files of their own. */
class Scene {
  readonly #env: Readonly<Record<string, string>>;
  readonly #folder: string;
  readonly #running = new Map<string, DowelProcess>();

  constructor(t: TestContext, url: string) {
    this.#folder = mkdtempSync(join(tmpdir(), 'dowel-order-events-'));
    this.#env = { AMQP_URL: url, PORT: '0', INVOICES_FILE: this.#at('invoices'), AUDIT_FILE: this.#at('audit') };
    t.after(async () => {
      await Promise.all([...this.#running.values()].map((one) => one[Symbol.asyncDispose]()));
      rmSync(this.#folder, { recursive: true });
    });
  }

  async start(part: string): Promise<DowelProcess> {
    const started = await startDowel(fileOf(part), { env: this.envOf(part) });
    this.#running.set(part, started);
    return started;
  }

  envOf(part: string): Readonly<Record<string, string>> {
    return { ...this.#env, STORE_FILE: join(this.#folder, `${part}.db`) };
  }

  /** The lines of a file that an integration writes. */
  lines(file: 'audit' | 'invoices'): readonly Written[] {
    if (!existsSync(this.#at(file))) return [];
    const text = readFileSync(this.#at(file), 'utf8');
    // What has no end yet is being written.
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Written);
  }

  /** What happened to an order, as the audit saw it. */
  eventsOf(order: string): readonly string[] {
    return this.lines('audit').flatMap((line) => (line.order === order && line.event ? [line.event] : []));
  }

  #at(file: string): string {
    return join(this.#folder, `${file}.jsonl`);
  }
}

const order = (orderId: string, price = 4.5): object => ({ orderId, sku: 'tea', quantity: 2, price });
const whole = ['order.placed', 'order.billed', 'order.shipped'];

withPackage('rabbitmq-server', rabbitmqProgram, 'order events over RabbitMQ', () => {
  let server: RabbitmqServer;
  before(async () => {
    server = await RabbitmqServer.start();
  });
  after(() => server[Symbol.asyncDispose]());

  const emptied = async (): Promise<void> => {
    const connection = await connect(server.url);
    const channel = await connection.createChannel();
    for (const queue of ['audit', 'billing', 'shipping']) await channel.deleteQueue(queue);
    await connection.close();
  };

  test('an order goes its way through all of them, whoever is started first; the page shows what happens', async (t) => {
    await emptied();
    const scene = new Scene(t, server.url);
    const shop = await scene.start('shop');
    const early = await post(`${shop.url}/orders`, order('early'));
    assert.deepEqual([early.status, early.body], [503, { error: 'unroutable' }]);
    for (const part of ['shipping', 'audit', 'billing']) await scene.start(part);

    const page = fences(readFileSync(join(folder, 'order-events', 'README.md'), 'utf8'));
    for (const [index, fence] of page.entries()) {
      if (!fence.text.startsWith('curl')) continue;
      const { url, init } = requestOf(fence.text);
      const { status, body } = await ask(shop.url + new URL(url).pathname, init);
      const [first = '', , ...rest] = (page[index + 1]?.text ?? '').split('\n');
      assert.deepEqual([status, body], [Number(first.split(' ')[1]), JSON.parse(rest.join('\n'))]);
    }
    await eventually('A1 is shipped', () => scene.eventsOf('A1').length === 3);
    assert.deepEqual(scene.eventsOf('A1'), whole);
    assert.deepEqual(scene.lines('invoices'), [
      { orderId: 'A1', sku: 'tea', quantity: 2, invoice: 'inv-A1', amount: 9 },
    ]);
    const wrong = await post(`${shop.url}/orders`, { orderId: 'A2' });
    assert.equal(wrong.status, 400);
    assert.deepEqual(scene.eventsOf('B1'), ['order.placed']);
  });

  test('an order that a person has to decide about lies with the dead letters of billing', async (t) => {
    await emptied();
    const scene = new Scene(t, server.url);
    const billing = await scene.start('billing');
    const shop = await scene.start('shop');
    await post(`${shop.url}/orders`, order('B1', 12_000));
    await eventually('billing says so', () =>
      billing.log.some(({ message }) => message === 'a message was moved to the dead letters'),
    );
    await billing.stop();
    const { stdout, stderr } = await runDowel(['dead-letters', 'list', fileOf('billing')], {
      env: scene.envOf('billing'),
    });
    assert.match(stdout, /above-limit/, stderr);
  });

  test('billing and the broker are killed in the middle: every order is billed and shipped, and billed once', async (t) => {
    await emptied();
    const scene = new Scene(t, server.url);
    for (const part of ['audit', 'shipping']) await scene.start(part);
    let billing = await scene.start('billing');
    const shop = await scene.start('shop');
    const placed: string[] = [];
    const place = async (id: string): Promise<void> => {
      const { status } = await post(`${shop.url}/orders`, order(id));
      if (status === 202) placed.push(id);
    };
    const many = (name: string): Promise<unknown> =>
      Promise.all(Array.from({ length: 50 }, (_, index) => place(`${name}-${index}`)));
    await many('first');
    await billing.stop('SIGKILL');
    await many('second');
    billing = await scene.start('billing');
    await server.kill();
    await server.start();
    await many('third');
    await eventually(
      'every order that was accepted is shipped',
      () => {
        const shipped = new Set(
          scene.lines('audit').flatMap((line) => (line.event === 'order.shipped' ? line.order : [])),
        );
        return placed.every((id) => shipped.has(id));
      },
      60_000,
    );
    assert.ok(placed.length >= 100, `${placed.length} orders were accepted`);
    // The one that was under way when billing was killed may have its invoice, and not be remembered.
    const invoices = scene.lines('invoices').flatMap((line) => line.invoice ?? []);
    assert.ok(invoices.length - new Set(invoices).size <= 2, 'at most what was under way is billed again');
  });
});
