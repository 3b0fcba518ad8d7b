import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failure } from '../../src/errors.ts';
import { MemoryStore } from '../../src/store/memory.ts';
import type { Store, Write } from '../../src/store/store.ts';
import { DyingStore } from '../support/dying-store.ts';
import { Engine, freshStore, mainFlow, startEngine } from '../support/engine.ts';
import { chargeAndRespond, counting, guarded } from './support/idempotent.ts';

/** Lets an engine work until nothing moves any more. */
async function quiet(engine: Engine, ms = 10_000): Promise<void> {
  for (let i = 0; i < 20; i++) await engine.clock.advance(ms / 20);
}

async function copied(from: Store, to: Store): Promise<Store> {
  const { entries } = await from.list('idempotent', { limit: 100 });
  for (const { key, value, ttl } of entries) await to.write([{ op: 'put', space: 'idempotent', key, value, ttl }]);
  return to;
}

describe('the store', () => {
  test('that cannot be written: nothing is started, and the key is free when it can be written again', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(chargeAndRespond)), { far: counting() });
    const write = engine.store.write.bind(engine.store);
    engine.store.write = async (batch) => {
      await write(batch);
      throw failure('store', { store: 'memory', detail: 'the answer was lost' });
    };
    await assert.rejects(engine.send({ body: { id: 1 } }), { code: 'store', status: 503 });
    assert.equal(engine.calls.length, 0);
    engine.store.write = write;
    await quiet(engine);
    assert.deepEqual((await engine.send({ body: { id: 1 } })).body, { n: 1 });
  });

  test('that fails when the reply is to be kept is asked again; it is not kept twice', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(chargeAndRespond)), { far: counting() });
    const write = engine.store.write.bind(engine.store);
    const fates = ['taken', 'fails before', 'fails after', 'conflict'];
    engine.store.write = async (batch: readonly Write[]) => {
      const fate = fates.shift();
      const written = fate === 'fails before' ? undefined : await write(batch);
      if (fate?.startsWith('fails')) throw failure('store', { store: 'memory', detail: fate });
      assert.equal(written?.written, fate === 'taken');
      return written ?? { written: false, conflict: 0 };
    };
    const sent = engine.send({ body: { id: 1 } });
    await quiet(engine);
    assert.deepEqual((await sent).body, { n: 1 });
    engine.store.write = write;
    assert.deepEqual((await engine.send({ body: { id: 1 } })).body, { n: 1 });
    assert.ok(!engine.log.lines.some((line) => /lost/.test(line.message)));
  });

  test('that cannot keep the reply at all: what was done is undone, and the sender hears of it', async (t) => {
    const steps =
      '- call: { endpoint: a, test: { path: charge }, as: c, compensate: [ { call: { endpoint: a, test: { path: refund } } } ] }';
    const engine = await startEngine(t, mainFlow(guarded(steps)), { far: counting() });
    const write = engine.store.write.bind(engine.store);
    engine.far = ({ operation }) => {
      engine.store.write = async () => {
        throw failure('store', { store: 'memory', detail: 'disk full', sent: false });
      };
      return { body: operation['path'] };
    };
    const sent = assert.rejects(engine.send({ body: { id: 1 } }), { code: 'store', outcome: 'none' });
    await quiet(engine);
    await sent;
    assert.deepEqual(engine.called, ['a charge', 'a refund']);
    engine.store.write = write;
    await quiet(engine, 60_000);
    assert.deepEqual((await engine.store.list('idempotent', { limit: 10 })).entries, []);
  });

  test('a reply that is too large for it is not said again; nor is anything done again', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded('- call: { endpoint: a, test: { path: large } }')), {
      far: () => ({ body: 'x'.repeat(17 * 1024 * 1024) }),
    });
    await engine.send({ body: { id: 1 } });
    await assert.rejects(engine.send({ body: { id: 1 } }), { code: 'reply-not-kept', kind: 'permanent', status: 410 });
    assert.equal(engine.calls.length, 1);
  });

  test('holds nobody’s keys in the clear', async (t) => {
    const engine = await startEngine(t, mainFlow(guarded(chargeAndRespond)), { far: counting() });
    await engine.send({ body: { id: 'ada@example.org' } });
    const { entries } = await engine.store.list('idempotent', { limit: 10 });
    assert.equal(entries.length, 1);
    assert.match(String(entries[0]?.key), /^main\/idempotent\/1 [\w-]{43}$/);
    assert.doesNotMatch(Buffer.from(entries[0]?.value ?? []).toString(), /ada/);
  });
});

describe('a process that dies', () => {
  test('while the message is under way: the key frees itself after `inFlight`', async (t) => {
    const yaml = mainFlow(guarded(chargeAndRespond, 'key: id, inFlight: 30s'));
    const store = freshStore();
    const dying = new DyingStore(store, { at: 2, when: 'before' });
    const first = await startEngine(t, yaml, { store: dying, far: counting() });
    first.send({ body: { id: 1 } }).catch(() => {});
    await quiet(first);
    assert.ok(dying.dead);
    const { clock, log } = new Engine(() => undefined);
    const second = await startEngine(t, yaml, { store: await copied(store, new MemoryStore(clock, log)), seed: 2 });
    second.far = counting();
    await assert.rejects(second.send({ body: { id: 1 } }), { code: 'duplicate-in-flight' });
    await clock.advance(30_000);
    assert.equal((await second.send({ body: { id: 1 } })).status, 201);
  });

  test('on a store that nobody else can have open: the next process knows at once that nobody is busy with it', async (t) => {
    const yaml = mainFlow(guarded(chargeAndRespond, 'key: id, inFlight: 30s'));
    const opened = (session: string): Store => Object.assign(freshStore(), { session });
    const before = opened('one');
    const first = await startEngine(t, yaml, { store: before, far: () => new Promise(() => {}) as never });
    first.send({ body: { id: 1 } }).catch(() => {});
    await quiet(first);
    // Still the same process: somebody is busy.
    await assert.rejects(first.send({ body: { id: 1 } }), { code: 'duplicate-in-flight' });
    const second = await startEngine(t, yaml, { store: await copied(before, opened('two')), seed: 2, far: counting() });
    assert.equal((await second.send({ body: { id: 1 } })).status, 201);
  });

  for (const when of ['before', 'after'] as const) {
    test(`at any write of a durable message, ${when} it: once done, a repeat gets the reply, and nothing is done twice`, async (t) => {
      const yaml = mainFlow(guarded(chargeAndRespond), { flow: 'durable: true' });
      for (let at = 1; ; at++) {
        const far = counting();
        const store = freshStore();
        const dying = new DyingStore(store, { at, when });
        const first = await startEngine(t, yaml, {
          store: dying,
          far: (): ReturnType<typeof far> => (dying.dead ? (new Promise(() => {}) as never) : far()),
        });
        first.send({ body: { id: 1 } }).catch(() => {});
        await quiet(first);
        const begun = at > 1 || when === 'after';
        const second = await startEngine(t, yaml, { store, seed: 2, far });
        await quiet(second);
        const where = `killed ${when} write ${at}`;
        const reply = await second.send({ body: { id: 1 } }).catch((error) => error.code);
        // The intent is on disk, and nobody can say whether the charge was made: its message failed, and freed the key.
        if (reply.status !== 201) assert.fail(`${where}: ${reply}`);
        const unknown = second.log.lines.some((line) => line.fields['code'] === 'unknown-outcome');
        assert.deepEqual(reply.body, { n: unknown && first.calls.length > 0 ? 2 : 1 }, where);
        assert.equal(first.calls.length + second.calls.length, unknown && first.calls.length > 0 ? 2 : 1, where);
        assert.ok(begun || !dying.dead || second.calls.length === 1, where);
        if (!dying.dead) {
          assert.ok(at >= 7, `only ${at} writes`);
          break;
        }
      }
    });
  }
});
