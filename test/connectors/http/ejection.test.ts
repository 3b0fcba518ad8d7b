import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure, httpFailure } from '#sdk';
import { Health, type Verdict, verdictOn } from '../../../connectors/http/ejection.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { seededRandom } from '../../../src/core/random.ts';

const options = { failures: 3, pause: 1_000, maxPause: 8_000 };

/** A target with what it said of itself; `call` is one call from its begin to its end. */
function watched(probed = false, random = { ...seededRandom(1), next: () => 1 }) {
  const clock = new VirtualClock();
  const said: string[] = [];
  const health = new Health(options, clock, random, probed, {
    ejected: (pauseMs) => void said.push(`ejected ${pauseMs}`),
    back: () => void said.push('back'),
  });
  const call = (verdict: Verdict): void => health.begin()(verdict, undefined);
  return { clock, said, health, call };
}

test('some failures in a row eject a target; a success between them begins the count anew', () => {
  const { said, health, call } = watched();
  for (const verdict of ['failed', 'failed', 'well', 'failed', 'failed'] as const) call(verdict);
  assert.equal(health.isIn, true);
  call('ignored');
  call('failed');
  assert.deepEqual([health.isIn, said], [false, ['ejected 1000']]);
});

test('one refused connection ejects a target at once', () => {
  const { health, call } = watched();
  call('refused');
  assert.deepEqual([health.isIn, health.isOpen], [false, false]);
});

test('after the pause one call at a time tries; the pause doubles up to its longest, and begins anew after a long good time', async () => {
  const { clock, said, health, call } = watched();
  call('refused');
  for (const pause of [1_000, 2_000, 4_000, 8_000, 8_000]) {
    await clock.advance(pause - 1);
    assert.equal(health.isOpen, false);
    await clock.advance(1);
    assert.equal(health.isOpen, true);
    const trial = health.begin();
    assert.equal(health.isOpen, false);
    trial('failed', undefined);
  }
  assert.deepEqual(
    said,
    [1, 2, 4, 8, 8, 8].map((seconds) => `ejected ${seconds * 1_000}`),
  );
  await clock.advance(8_000);
  call('well');
  assert.deepEqual([health.isIn, said.at(-1)], [true, 'back']);
  await clock.advance(8_000);
  call('refused');
  assert.equal(said.at(-1), 'ejected 8000');
  await clock.advance(8_000);
  call('well');
  await clock.advance(8_001);
  call('refused');
  assert.equal(said.at(-1), 'ejected 1000');
});

test('up to half of a pause is left to chance', async () => {
  const { clock, health, call } = watched(false, { ...seededRandom(1), next: () => 0 });
  call('refused');
  await clock.advance(499);
  assert.equal(health.isOpen, false);
  await clock.advance(1);
  assert.equal(health.isOpen, true);
});

test('calls that began before an ejection say nothing about the time after it', async () => {
  const { clock, said, health, call } = watched();
  const late = [health.begin(), health.begin()] as const;
  call('refused');
  late[0]('refused', undefined);
  late[1]('well', undefined);
  assert.deepEqual([health.isIn, said], [false, ['ejected 1000']]);
  await clock.advance(1_000);
  assert.equal(health.isOpen, true);
});

test('a trial that was given up leaves the way free for the next', async () => {
  const { clock, health, call } = watched();
  call('refused');
  await clock.advance(1_000);
  call('ignored');
  assert.equal(health.isOpen, true);
});

test('where there are probes only they end an ejection', async () => {
  const { clock, said, health, call } = watched(true);
  health.probed(httpFailure(503, {}));
  await clock.advance(100_000);
  assert.equal(health.isOpen, false);
  health.probed(httpFailure(503, {}));
  assert.equal(health.isOpen, false);
  health.probed(undefined);
  call('well');
  assert.deepEqual([health.isIn, said], [true, ['ejected 1000', 'back']]);
});

test('every answer but a 5xx says that a target lives; cancellations and limits say nothing', () => {
  const refused = failure('connection', { endpoint: 'far', sent: false });
  const verdicts = [
    undefined,
    refused,
    failure('connection', { endpoint: 'far', sent: true }),
    failure('timeout', { endpoint: 'far', ms: 1 }),
    httpFailure(503, {}),
    httpFailure(404, {}),
    httpFailure(302, {}),
    httpFailure(429, {}),
    failure('deadline'),
    failure('aborted'),
    failure('stopping'),
  ].map(verdictOn);
  assert.deepEqual(verdicts, [
    'well',
    'refused',
    'failed',
    'failed',
    'failed',
    'well',
    'well',
    'ignored',
    'ignored',
    'ignored',
    'ignored',
  ]);
});
