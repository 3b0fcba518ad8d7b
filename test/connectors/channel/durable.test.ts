import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { failure } from '#sdk';
import { MemoryStore } from '../../../src/store/memory.ts';
import type { Store } from '../../../src/store/store.ts';
import { type Call, type Engine, startEngine } from '../../support/engine.ts';

const shop = (reading: string): string => `
dowel: 1
name: shop
endpoints:
  billing: { channel: { name: billing } }
  books: { test: {} }
flows:
  orders:
    from: { test: {} }
    steps:
      - send: { endpoint: billing, headers: { x-kind: order } }
      - respond: { status: 201 }
  bill:
    from: { channel: { name: billing, durable: true } }
${reading}
    steps:
      - call: { endpoint: books, test: { path: "\${{ $ }}" }, body: { attempt: "\${{ $exchange.attempt }}", kind: "\${{ $headers.'x-kind' }}", from: "\${{ $source.sender.flow }}" } }
`;

const quick = '    redelivery: { maxAttempts: 1000, delay: 1s, factor: 1, maxDelay: 1s }';

/** Books that answer only while they are open. */
function books() {
  const state = { open: true, seen: [] as string[], done: [] as string[] };
  const far = async ({ operation }: Call): Promise<undefined> => {
    const path = String(operation['path']);
    state.seen.push(path);
    if (!state.open) throw failure('connection', { endpoint: 'books', sent: false, detail: 'refused' });
    state.done.push(path);
    return undefined;
  };
  return { state, far };
}

/** Another process on the same store. */
async function restarted(
  t: TestContext,
  yaml: string,
  store: Store,
  far: Engine['far'],
  seed: number,
): Promise<Engine> {
  const engine = await startEngine(t, yaml, { store: survivor(store), far, seed });
  return engine;
}

/** The store of a process that dies is not closed by it. */
const survivor = (store: Store): Store =>
  new Proxy(store, {
    get: (target, name) => {
      if (name === 'close') return async () => {};
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

describe('a durable channel', () => {
  it('hands over what was sent: body, the headers the file set, who sent it', async (t) => {
    const { far } = books();
    const engine = await startEngine(t, shop(''), { far });
    const reply = await engine.send({ flow: 'orders', body: 'a' });
    await engine.clock.advance(10);
    assert.equal(reply.status, 201);
    assert.deepEqual(
      engine.calls.map(({ operation, body }) => [operation['path'], body]),
      [['a', { attempt: 1, kind: 'order', from: 'orders' }]],
    );
  });

  it('stores and forwards, in order, to a backend that is down for a while', async (t) => {
    const { state, far } = books();
    state.open = false;
    const engine = await startEngine(t, shop(quick), { far });
    for (const body of ['a', 'b', 'c']) await engine.send({ flow: 'orders', body });
    await engine.clock.advance(1500);
    assert.ok(state.seen.length >= 2);
    assert.deepEqual([...new Set(state.seen)], ['a']);
    state.open = true;
    await engine.clock.advance(2000);
    assert.deepEqual(state.done, ['a', 'b', 'c']);
  });

  it('keeps the order across restarts, and loses nothing', async (t) => {
    const { state, far } = books();
    const store = new MemoryStore((await startEngine(t, shop(quick))).clock, { warn: () => {} } as never);
    state.open = false;
    const first = await restarted(t, shop(quick), store, far, 1);
    for (const body of ['a', 'b', 'c']) await first.send({ flow: 'orders', body });
    await first.clock.advance(100);
    await first.stop();
    const second = await restarted(t, shop(quick), store, far, 2);
    await second.send({ flow: 'orders', body: 'd' });
    await second.clock.advance(100);
    await second.stop();
    state.open = true;
    const third = await restarted(t, shop(quick), store, far, 3);
    await third.clock.advance(3000);
    assert.deepEqual(state.done, ['a', 'b', 'c', 'd']);
  });

  it('moves a message that fails for good to the dead letters, and goes on', async (t) => {
    const far = async ({ operation }: Call): Promise<undefined> => {
      if (operation['path'] === 'bad') throw failure('validation', { detail: 'bad' });
      return undefined;
    };
    const engine = await startEngine(t, shop(''), { far });
    for (const body of ['bad', 'good']) await engine.send({ flow: 'orders', body });
    await engine.clock.advance(100);
    assert.deepEqual(engine.called, ['books bad', 'books good']);
    assert.ok(engine.log.lines.some((line) => line.message === 'a message was moved to the dead letters'));
  });

  it('with concurrency one that waits for its next attempt lets others pass', async (t) => {
    let tries = 0;
    const done: string[] = [];
    const far = async ({ operation }: Call): Promise<undefined> => {
      if (operation['path'] === 'a' && ++tries === 1) throw failure('connection', { sent: false, detail: 'no' });
      done.push(String(operation['path']));
      return undefined;
    };
    const engine = await startEngine(t, shop(`${quick}\n    concurrency: 2`), { far });
    for (const body of ['a', 'b', 'c']) await engine.send({ flow: 'orders', body });
    await engine.clock.advance(2000);
    assert.deepEqual(done, ['b', 'c', 'a']);
  });

  it('a send that cannot be stored fails, and the caller hears of it', async (t) => {
    const engine = await startEngine(t, shop(''));
    await engine.clock.advance(10);
    await engine.store.close();
    await assert.rejects(engine.send({ flow: 'orders', body: 'a' }), { code: 'store', status: 503 });
  });

  it('a reload takes over what waits; a version that no longer reads it says so', async (t) => {
    const { state, far } = books();
    state.open = false;
    const engine = await startEngine(t, shop(quick), { far });
    for (const body of ['a', 'b']) await engine.send({ flow: 'orders', body });
    await engine.clock.advance(100);
    const folder = mkdtempSync(join(tmpdir(), 'dowel-durable-'));
    t.after(() => rmSync(folder, { recursive: true }));
    state.open = true;
    await engine.start(folder, shop(`${quick}\n    description: another`), {});
    await engine.clock.advance(3000);
    assert.deepEqual(state.done, ['a', 'b']);
    await engine.send({ flow: 'orders', body: 'c' });
    state.open = false;
    await engine.send({ flow: 'orders', body: 'd' });
    await engine.clock.advance(1);
    const other = 'dowel: 1\nname: shop\nflows:\n  x: { from: { test: {} }, durable: true, steps: [ { stop: {} } ] }\n';
    await engine.start(folder, other, {});
    await engine.clock.advance(3000);
    const unread = engine.log.lines.filter((line) => line.message.includes('no flow reads'));
    assert.deepEqual(
      unread.map((line) => line.fields['queue']),
      ['channel:billing'],
    );
  });

  it('into a durable flow: after a restart a message goes on where it was', async (t) => {
    const yaml = `
dowel: 1
name: shop
endpoints:
  billing: { channel: { name: billing } }
  books: { test: {} }
flows:
  orders:
    from: { test: {} }
    steps:
      - send: { endpoint: billing }
  bill:
    durable: true
    from: { channel: { name: billing, durable: true } }
${quick}
    steps:
      - call: { endpoint: books, test: { path: "charge-\${{ $ }}" }, as: charged }
      - call: { endpoint: books, test: { path: "book-\${{ $ }}" }, as: booked, idempotent: true }
`;
    const store = new MemoryStore((await startEngine(t, shop(''))).clock, { warn: () => {} } as never);
    const seen: string[] = [];
    let hangs = true;
    const far = async ({ operation, signal }: Call): Promise<undefined> => {
      seen.push(String(operation['path']));
      if (hangs && operation['path'] === 'book-a') {
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      }
      return undefined;
    };
    const first = await restarted(t, yaml, store, far, 1);
    for (const body of ['a', 'b']) await first.send({ flow: 'orders', body });
    await first.clock.advance(100);
    assert.deepEqual(seen, ['charge-a', 'book-a']);
    await first.stop();
    hangs = false;
    const second = await restarted(t, yaml, store, far, 2);
    await second.clock.advance(3000);
    assert.deepEqual(seen, ['charge-a', 'book-a', 'book-a', 'charge-b', 'book-b']);
    assert.deepEqual((await store.list('queue', { limit: 10 })).entries, []);
    assert.deepEqual((await store.list('journal', { limit: 10 })).entries, []);
  });
});
