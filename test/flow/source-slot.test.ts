import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '../../src/core/clock.ts';
import { failure } from '../../src/errors.ts';
import { type SlotWorld, SourceSlot } from '../../src/flow/source-slot.ts';
import { recordingLog } from '../support/plain-context.ts';

/** A slot whose source writes down what is done to it. */
function slotted(world: Partial<SlotWorld> = {}) {
  const done: string[] = [];
  const clock = new VirtualClock();
  const log = recordingLog();
  let opened = 0;
  const state = { idle: true };
  const slot = new SourceSlot({
    flow: 'main',
    clock,
    log,
    staysOpen: false,
    open: async (paused) => {
      const name = `source ${++opened}`;
      done.push(`${name} opened${paused ? ' as paused' : ''}`);
      const noting = (what: string) => async (): Promise<void> => void done.push(`${name} ${what}`);
      return {
        pause: () => void done.push(`${name} paused`),
        resume: () => void done.push(`${name} resumed`),
        stop: noting('stopped'),
        close: noting('closed'),
      };
    },
    hold: (held) => void done.push(held ? 'held' : 'let in'),
    giveBack: () => {
      done.push('given back');
      return () => state.idle;
    },
    ...world,
  });
  const since = (): readonly string[] => done.splice(0);
  return { slot, clock, log, state, since };
}

describe('a source that is paused', () => {
  test('is stopped at once, and closed when what it had handed over has ended', async () => {
    const { slot, clock, state, since } = slotted();
    await slot.open(false);
    since();
    state.idle = false;
    slot.pause();
    assert.deepEqual(since(), ['held', 'source 1 stopped', 'given back']);
    await clock.advance(1_000);
    assert.deepEqual([since(), slot.paused, slot.ready], [[], true, undefined]);
    state.idle = true;
    await clock.advance(100);
    assert.deepEqual(since(), ['source 1 closed']);
    slot.pause();
    assert.deepEqual(since(), []);
    await slot.resume();
    assert.deepEqual([since(), slot.paused], [['source 2 opened', 'let in'], false]);
  });

  test('may be resumed while it still finishes: another one is opened beside it', async () => {
    const { slot, clock, state, since } = slotted();
    await slot.open(false);
    state.idle = false;
    slot.pause();
    await slot.resume();
    since();
    state.idle = true;
    await clock.advance(100);
    assert.deepEqual(since(), ['source 1 closed']);
  });

  test('that stays open is only told', async () => {
    const { slot, since } = slotted({ staysOpen: true });
    await slot.open(false);
    since();
    slot.pause();
    assert.deepEqual(since(), ['held', 'source 1 paused', 'given back']);
    await slot.resume();
    assert.deepEqual(since(), ['let in', 'source 1 resumed']);
  });

  test('is not opened before it is resumed; one that stays open is opened as paused', async () => {
    const closed = slotted();
    await closed.slot.open(true);
    assert.deepEqual(closed.since(), ['held']);
    await closed.slot.resume();
    assert.deepEqual(closed.since(), ['source 1 opened', 'let in']);
    const staying = slotted({ staysOpen: true });
    await staying.slot.open(true);
    assert.deepEqual(staying.since(), ['held', 'source 1 opened as paused']);
  });

  test('that cannot be opened again is paused on', async () => {
    const { slot } = slotted({ open: () => Promise.reject(failure('startup', { what: 'It', detail: 'it is away' })) });
    await slot.open(true);
    await assert.rejects(slot.resume(), { code: 'startup' });
    assert.equal(slot.paused, true);
  });

  test('that is opened again while the version stops is given back at once', async () => {
    const { slot, since } = slotted();
    await slot.open(true);
    since();
    const resumed = slot.resume();
    await slot.stop();
    await assert.rejects(resumed, { code: 'stopping' });
    assert.deepEqual(since(), ['source 1 opened', 'source 1 stopped', 'source 1 closed']);
  });

  test('is closed with its version, whatever is still under way', async () => {
    const { slot, state, since } = slotted();
    await slot.open(false);
    state.idle = false;
    slot.pause();
    since();
    await slot.stop();
    await slot.close();
    assert.deepEqual(since(), ['source 1 closed']);
  });
});
