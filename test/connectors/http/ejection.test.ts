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
  call('well');
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

/** Health as its page describes it, written down as plainly as possible; no jitter. */
class Model {
  now = 0;
  isIn = true;
  inARow = 0;
  step = 0;
  pause = 0;
  until = 0;
  since = 0;
  trying = false;

  get isOpen(): boolean {
    return this.isIn || (!this.trying && this.now >= this.until);
  }

  settle(verdict: Verdict, isTrial: boolean): void {
    if (verdict === 'ignored') return;
    if (verdict === 'well') {
      this.inARow = 0;
      if (!this.isIn) this.since = this.now;
      this.isIn = true;
      return;
    }
    if (!this.isIn && !isTrial) return;
    this.inARow++;
    if (this.isIn && verdict === 'failed' && this.inARow < options.failures) return;
    if (this.isIn && this.now - this.since > this.pause) this.step = 0;
    this.pause = Math.min(options.maxPause, options.pause * 2 ** this.step);
    this.step++;
    this.until = this.now + this.pause;
    this.isIn = false;
    this.inARow = 0;
  }
}

test('any sequence of calls, results and pauses leaves it as the rules say', async () => {
  const verdicts: readonly Verdict[] = ['well', 'failed', 'failed', 'failed', 'refused', 'ignored'];
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const { clock, health, said } = watched();
    const model = new Model();
    let changes = 0;
    const open: { readonly end: ReturnType<Health['begin']>; readonly isTrial: boolean; readonly at: number }[] = [];
    const draw = (below: number): number => Math.floor(random.next() * below);
    for (let step = 0; step < 120; step++) {
      const what = draw(3);
      if (what === 0) {
        const isTrial = !model.isIn && model.isOpen;
        if (isTrial) model.trying = true;
        open.push({ end: health.begin(), isTrial, at: changes });
      } else if (what === 1 && open.length > 0) {
        const [call] = open.splice(draw(open.length), 1);
        const verdict = verdicts[draw(verdicts.length)] ?? 'well';
        call?.end(verdict, undefined);
        if (call?.isTrial) model.trying = false;
        const before = model.until + Number(model.isIn);
        // What began before the last change is stale.
        if (call?.at === changes) model.settle(verdict, call.isTrial);
        if (before !== model.until + Number(model.isIn)) changes++;
      } else if (what === 2) {
        const ms = draw(3_000);
        await clock.advance(ms);
        model.now += ms;
      }
      assert.deepEqual([health.isIn, health.isOpen], [model.isIn, model.isOpen], `seed ${seed}, step ${step}`);
    }
    assert.equal(said.length, changes, `seed ${seed}`);
  }
});
