/** A process dies at each write that has to do with dead letters, and the next one goes on: nothing is lost. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { VirtualClock } from '../../../src/core/clock.ts';
import { failure } from '../../../src/errors.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { DyingStore, surviving } from '../../support/dying-store.ts';
import type { Far } from '../../support/engine.ts';
import { MemoryBroker, Mortal } from '../../support/memory-broker.ts';
import { recordingLog } from '../../support/plain-context.ts';
import { flowOf, startBench } from '../settlement/support.ts';
import { litter } from './support/letters.ts';

const clockOf = (): VirtualClock => new VirtualClock();

const yaml = (settings = ''): string =>
  flowOf('- call: { endpoint: a, test: { path: put } }', `redelivery: { maxAttempts: 1 }\n${settings}`);

const failing: Far = () => {
  throw failure('validation', { detail: 'no' });
};

async function letterOn(
  t: TestContext,
  settings: string,
): Promise<{ readonly store: MemoryStore; readonly id: string }> {
  const store = new MemoryStore(clockOf(), recordingLog());
  const first = await startBench(t, yaml(settings), { store: surviving(store), far: failing });
  first.publish({ n: 1 });
  await first.engine.clock.advance(1_000);
  await first.engine.stop();
  const [kept] = (await store.list('dead-letters-by-id', { limit: 10 })).entries;
  assert.ok(kept);
  return { store, id: kept.key };
}

describe('a process that dies while it keeps a dead letter', () => {
  test('has kept it whole, or its broker gives the message again', async (t) => {
    for (const when of ['before', 'after'] as const) {
      for (let at = 1; ; at++) {
        const store = new MemoryStore(clockOf(), recordingLog());
        const dying = new DyingStore(store, { at, when });
        const broker = new MemoryBroker(clockOf());
        const process = new Mortal();
        const first = await startBench(t, yaml(), { store: dying, broker, process, far: failing });
        first.publish({ n: 1 });
        await first.engine.clock.advance(1_000);
        const kept = (await store.list('dead-letters-by-id', { limit: 10 })).entries.length;
        // What was not acknowledged is still the broker's.
        assert.ok(kept + broker.depth('work') >= 1, `${when} write ${at}`);
        assert.equal(broker.depth('work'), dying.dead ? 1 : 0, 'acknowledged after it was kept, never before');
        if (!dying.dead) break;
        process.kill();
        const second = await startBench(t, yaml(), { store: surviving(store), broker, far: failing, seed: 2 });
        await second.engine.clock.advance(120_000);
        assert.equal(broker.depth('work'), 0);
        const desk = await second.engine.runtime?.deadLetters();
        const { letters = [] } = (await desk?.list({ limit: 10 })) ?? {};
        // One whose acknowledgement was lost comes again as another message.
        assert.equal(letters.length, kept + 1);
        for (const { id } of letters) assert.equal(Buffer.from((await desk?.body(id)) ?? []).toString(), '{"n":1}');
      }
    }
  });
});

for (const settings of ['', 'durable: true']) {
  for (const works of [true, false]) {
    const outcome = works ? 'is done' : 'fails again';
    describe(`a process that dies during a replay that ${outcome}${settings === '' ? '' : ', of a durable flow'}`, () => {
      test('loses nothing: the letter is there until the message was done', async (t) => {
        let deaths = 0;
        for (const when of ['before', 'after'] as const) {
          for (let at = 1; ; at++) {
            const { store, id } = await letterOn(t, settings);
            const dying = new DyingStore(store, { at, when });
            let done = 0;
            const far: Far = (call) => {
              if (!works) return failing(call);
              done++;
              return {};
            };
            const first = await startBench(t, yaml(settings), { store: dying, far, seed: 2 });
            const desk = await first.engine.runtime?.deadLetters();
            void desk?.replay(id, 'current').catch(() => {});
            await first.engine.clock.advance(1_000);
            const where = `${when} write ${at}`;
            const there = (await store.get('dead-letters-by-id', id)) !== undefined;
            if (!works) assert.ok(there, where);
            assert.ok(there || done === 1, where);
            if (!dying.dead) break;
            deaths++;
            const second = await startBench(t, yaml(settings), { store: surviving(store), far, seed: 3 });
            // Of a durable flow goes on what was under way.
            await second.engine.clock.advance(1_000);
            await passMinute(store);
            const again = await second.engine.runtime?.deadLetters();
            if (there) {
              const replay = await again?.replay(id, 'current');
              assert.equal(replay?.outcome, works ? 'done' : 'failed', where);
            }
            assert.ok(done <= 2, `${where}: at most once more`);
            assert.equal((await again?.list({ limit: 10 }))?.letters.length, works ? 0 : 1, where);
            if (works) assert.deepEqual(await litter(store), [], where);
          }
        }
        assert.ok(deaths >= 4, `it died ${deaths} times`);
      });
    });
  }
}

/** The store has a clock of its own: until the lease of the dead has expired. */
const passMinute = async (store: MemoryStore): Promise<void> => {
  for (const { key } of (await store.list('lease', { limit: 10 })).entries) {
    await store.write([{ op: 'delete', space: 'lease', key }]);
  }
};
