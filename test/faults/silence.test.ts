import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../src/core/clock.ts';
import { Silence } from './silence.ts';

test('silence counts from the moment at which a taker that was struck is there again', async () => {
  const clock = new VirtualClock();
  const silence = new Silence(clock);
  silence.end();
  // Stopping and starting may take as long as that.
  await clock.advance(40_000);
  silence.struck();
  await clock.advance(1_000);
  assert.deepEqual([silence.ms, silence.recovered], [1_000, false]);
  silence.end();
  assert.deepEqual([silence.ms, silence.recovered, silence.slowestRecovery], [0, true, 1_000]);
});
