import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure } from '#sdk';
import type { TimerOptions } from '../../../connectors/timer/definition.ts';
import { openSource } from '../../../connectors/timer/source.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { ManualFlow, plainContext, sharing } from '../../support/plain-context.ts';

const minute = 60_000;
const hour = 60 * minute;

/** A wall clock that can be set while the monotonic one goes on. */
class SettableClock extends VirtualClock {
  #shift = 0;
  override now(): number {
    return super.now() + this.#shift;
  }
  set(by: number): void {
    this.#shift += by;
  }
}

async function started(options: Partial<TimerOptions>, start = Date.UTC(2026, 0, 1)) {
  const clock = new SettableClock(start);
  const flow = new ManualFlow();
  let auto = true;
  const context = plainContext({
    clock,
    deliver: async (message) => {
      const done = flow.deliver(message);
      if (auto) flow.deliveries.at(-1)?.resolve();
      return done;
    },
  });
  const source = await openSource({ immediately: false, ...options }, context);
  const hold = (): void => {
    auto = false;
  };
  const scheduled = (): readonly unknown[] => flow.sources().map((one) => one?.scheduledAt);
  return { clock, flow, context, source, hold, scheduled };
}

test('every: a fixed rate from the start, numbered, with an empty body', async () => {
  const { clock, flow, source } = await started({ every: 10_000 });
  await clock.advance(9_999);
  assert.equal(flow.deliveries.length, 0);
  await clock.advance(20_001);
  assert.deepEqual(flow.sources(), [
    { scheduledAt: '2026-01-01T00:00:10.000Z', firedAt: '2026-01-01T00:00:10.000Z', tick: 1 },
    { scheduledAt: '2026-01-01T00:00:20.000Z', firedAt: '2026-01-01T00:00:20.000Z', tick: 2 },
    { scheduledAt: '2026-01-01T00:00:30.000Z', firedAt: '2026-01-01T00:00:30.000Z', tick: 3 },
  ]);
  assert.equal(flow.at(0).message.body.isEmpty, true);
  await source.stop();
  await source.close();
  assert.equal(clock.next, undefined);
});

test('every: immediately makes the first tick come at the start', async () => {
  const { clock, scheduled, source } = await started({ every: 10_000, immediately: true });
  await clock.advance(10_000);
  assert.deepEqual(scheduled(), ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:10.000Z']);
  await source.close();
});

test('every: timers that fire late do not make it drift', async () => {
  const clock = new VirtualClock();
  const late = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms: number, run: () => void) => clock.after(ms + 7, run),
  };
  const flow = new ManualFlow();
  const source = await openSource(
    { every: 100, immediately: false },
    plainContext({ clock: late, deliver: flow.record }),
  );
  await clock.advance(1_010);
  assert.equal(flow.deliveries.length, 10);
  assert.equal(flow.sources().at(-1)?.scheduledAt, '2026-01-01T00:00:01.000Z');
  assert.equal(flow.sources().at(-1)?.firedAt, '2026-01-01T00:00:01.007Z');
  await source.close();
});

test('no overlap: ticks during a run are skipped and logged once, and counted when it ends', async () => {
  const { clock, flow, context, source, hold } = await started({ every: 1_000 });
  hold();
  await clock.advance(4_000);
  assert.equal(flow.deliveries.length, 1);
  assert.deepEqual(
    context.log.lines.map((line) => [line.level, line.message, line.fields.tick]),
    [['warn', 'A tick was skipped: the last run is still going on', 2]],
  );
  flow.at(0).resolve();
  await clock.advance(1_000);
  assert.equal(flow.deliveries.length, 2);
  assert.equal(flow.sources()[1]?.tick, 5);
  assert.deepEqual(context.log.lines[1]?.fields, { flow: 'flow', tick: 1, skipped: 3 });
  await source.close();
});

test('a run that fails is logged with its code and place, and the timer goes on', async () => {
  const { clock, flow, context, source, hold } = await started({ every: 1_000 });
  hold();
  await clock.advance(1_000);
  const error = failure('connection', { endpoint: 'stock', detail: 'refused' });
  error.place = 'flow/steps/0';
  flow.at(0).reject(error);
  await clock.advance(1_000);
  assert.equal(flow.deliveries.length, 2);
  const line = context.log.lines[0];
  assert.equal(line?.level, 'error');
  assert.equal(line?.fields.code, 'connection');
  assert.equal(line?.fields.place, 'flow/steps/0');
  await source.close();
});

test('every: setting the wall clock changes neither rate nor number', async () => {
  const { clock, flow, source } = await started({ every: minute });
  await clock.advance(minute);
  clock.set(24 * hour);
  await clock.advance(minute);
  clock.set(-48 * hour);
  await clock.advance(minute);
  assert.equal(flow.deliveries.length, 3);
  await source.close();
});

test('every: a process that stood still for an hour makes one run, then keeps the old rhythm', async () => {
  const clock = new VirtualClock();
  let frozen = 0;
  const jumping = {
    now: () => clock.now() + frozen,
    monotonic: () => clock.monotonic() + frozen,
    after: clock.after.bind(clock),
  };
  const flow = new ManualFlow();
  const source = await openSource(
    { every: minute, immediately: false },
    plainContext({ clock: jumping, deliver: flow.record }),
  );
  frozen = hour + 5_000;
  await clock.advance(minute);
  assert.equal(flow.deliveries.length, 1);
  await clock.advance(minute - 5_000);
  assert.equal(flow.deliveries.length, 2);
  assert.equal(flow.sources()[1]?.scheduledAt, '2026-01-01T01:02:00.000Z');
  await source.close();
});

test('cron: runs at the times of its zone, UTC by default', async () => {
  const utc = await started({ cron: '0 2 * * *' });
  await utc.clock.advance(24 * hour);
  assert.deepEqual(utc.scheduled(), ['2026-01-01T02:00:00.000Z']);
  await utc.source.close();
  const tokyo = await started({ cron: '0 2 * * *', timezone: 'Asia/Tokyo' });
  await tokyo.clock.advance(24 * hour);
  assert.deepEqual(tokyo.scheduled(), ['2026-01-01T17:00:00.000Z']);
  await tokyo.source.close();
});

test('cron: six fields tick by the second', async () => {
  const { clock, scheduled, source } = await started({ cron: '*/20 * * * * *' });
  await clock.advance(minute);
  assert.deepEqual(scheduled(), ['2026-01-01T00:00:20.000Z', '2026-01-01T00:00:40.000Z', '2026-01-01T00:01:00.000Z']);
  await source.close();
});

test('cron: a daily time in the gap of daylight saving runs behind the gap, a doubled one once', async () => {
  const spring = await started({ cron: '30 2 * * *', timezone: 'Europe/Berlin' }, Date.UTC(2026, 2, 28, 12));
  await spring.clock.advance(37 * hour);
  assert.deepEqual(spring.scheduled().length, 2);
  assert.equal(String(spring.scheduled()[0]).slice(0, 13), '2026-03-29T01');
  await spring.source.close();
  const autumn = await started({ cron: '30 2 * * *', timezone: 'Europe/Berlin' }, Date.UTC(2026, 9, 24, 12));
  await autumn.clock.advance(24 * hour);
  assert.equal(autumn.scheduled().length, 1);
  await autumn.source.close();
});

test('cron: a clock set forward gives one late run, one set back a little repeats nothing', async () => {
  const { clock, scheduled, source } = await started({ cron: '0 * * * *' });
  clock.set(5 * hour + 10 * minute);
  await clock.advance(minute);
  assert.deepEqual(scheduled(), ['2026-01-01T01:00:00.000Z']);
  await clock.advance(49 * minute);
  assert.deepEqual(scheduled().slice(1), ['2026-01-01T06:00:00.000Z']);
  clock.set(-2 * hour);
  await clock.advance(hour + 30 * minute);
  assert.equal(scheduled().length, 2);
  await clock.advance(2 * hour);
  assert.deepEqual(scheduled().slice(2), ['2026-01-01T07:00:00.000Z']);
  await source.close();
});

test('cron: a clock that had been wrong by days does not silence the timer', async () => {
  const { clock, scheduled, source } = await started({ cron: '0 * * * *' });
  await clock.advance(minute);
  clock.set(-30 * 24 * hour);
  await clock.advance(hour);
  assert.deepEqual(scheduled(), ['2025-12-02T01:00:00.000Z']);
  await source.close();
});

test('stop takes no further tick; the run in flight goes on', async () => {
  const { clock, flow, source, hold } = await started({ every: 1_000 });
  hold();
  await clock.advance(1_000);
  await source.stop();
  await source.stop();
  await clock.advance(10_000);
  assert.equal(flow.deliveries.length, 1);
  assert.equal(clock.next, undefined);
  flow.at(0).resolve();
  await source.close();
});

test('a reload neither overlaps with the old run, nor starts an unchanged interval over, nor runs at once again', async () => {
  const clock = new VirtualClock();
  const { share, open } = sharing();
  const flow = new ManualFlow();
  const options = { every: minute, immediately: true } as const;
  const first = await openSource(options, plainContext({ clock, share, deliver: flow.deliver }));
  await clock.advance(50_000);
  assert.equal(flow.deliveries.length, 1);
  const second = await openSource(options, plainContext({ clock, share, deliver: flow.deliver }));
  await clock.advance(9_999);
  await first.stop();
  await clock.advance(1);
  assert.equal(flow.deliveries.length, 1, 'the old run is still going on');
  flow.at(0).resolve();
  await clock.advance(0);
  await first.close();
  await clock.advance(minute);
  assert.equal(flow.deliveries.length, 2);
  assert.equal(flow.sources()[1]?.scheduledAt, '2026-01-01T00:02:00.000Z');
  await second.stop();
  await second.close();
  assert.deepEqual(open(), []);
});

test('croner is not loaded for an interval', async () => {
  const { execFileSync } = await import('node:child_process');
  const code = `
    const { openSource } = await import(${JSON.stringify(new URL('../../../connectors/timer/source.ts', import.meta.url).href)});
    const { createRequire } = await import('node:module');
    console.log(typeof openSource, Object.keys(createRequire(import.meta.url).cache).length);`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: process.cwd(),
    encoding: 'utf8',
  });
  assert.equal(printed.trim(), 'function 0');
});
