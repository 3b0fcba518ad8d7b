import {
  Body,
  type Exchange,
  failure,
  noHeaders,
  type Source,
  type SourceContext,
  type Trigger,
  toFailure,
} from '#sdk';
import { cronTimes } from './cron.ts';
import type { TimerOptions } from './definition.ts';
import { cronSchedule, everySchedule, type Schedule } from './schedule.ts';

/**
 * What outlives a reload: where the schedule stands, and whether a run is going on. So a reload neither overlaps with a
 * run of the old version, nor repeats a tick, nor starts an unchanged interval over.
 */
class Ticking {
  tick = 0;
  running = false;
  /** Ticks that the run now going on has cost. */
  skipped = 0;
  #settings: string | undefined;
  #schedule: Schedule | undefined;

  schedule(settings: string, make: () => Schedule): Schedule {
    if (this.#schedule === undefined || this.#settings !== settings) this.#schedule = make();
    this.#settings = settings;
    return this.#schedule;
  }

  async close(): Promise<void> {}
}

function scheduleOf(options: TimerOptions, context: SourceContext): Schedule {
  if (options.cron !== undefined)
    return cronSchedule(context.clock, cronTimes(options.cron, options.timezone ?? 'UTC'));
  return everySchedule(context.clock, options.every ?? Number.POSITIVE_INFINITY, options.immediately);
}

const iso = (ms: number): string => new Date(ms).toISOString();

export async function openSource(options: TimerOptions, context: SourceContext): Promise<Source> {
  const { clock, log, random, deliver } = context;
  const shared = context.share(`timer:${context.name}`, () => new Ticking());
  const ticking = shared.value;
  const settings = JSON.stringify([options.every, options.cron, options.timezone]);
  const schedule = ticking.schedule(settings, () => scheduleOf(options, context));
  let stopped = false;
  let paused = context.paused === true;
  let cancel = (): void => {};

  const run = (scheduledAt: number, byHand: boolean): Trigger<Exchange | undefined> => {
    const firedAt = clock.now();
    const tick = ++ticking.tick;
    if (ticking.running) {
      // One line a run however many ticks it costs: a run that hangs must not flood the log.
      if (ticking.skipped++ === 0)
        log.warn('A tick was skipped: the last run is still going on', { flow: context.name, tick });
      return { tick, exchange: undefined, ended: Promise.resolve(undefined) };
    }
    ticking.running = true;
    const exchange = random.uuid();
    const source = { scheduledAt: iso(scheduledAt), firedAt: iso(firedAt), tick, ...(byHand ? { byHand } : {}) };
    const origin = { source, receivedAt: firedAt, attempt: 1 };
    const ended = deliver({ body: Body.empty, headers: noHeaders, origin, id: exchange });
    void over(ended, tick);
    return { tick, exchange, ended };
  };

  /** Never rejects. */
  const over = async (run: Promise<unknown>, tick: number): Promise<void> => {
    try {
      await run;
    } catch (thrown) {
      const { code, kind, place, message } = toFailure(thrown);
      log.error('A run of the timer failed', { flow: context.name, tick, code, kind, place, detail: message });
    }
    ticking.running = false;
    if (ticking.skipped > 1) {
      log.warn('A run took longer than its interval', { flow: context.name, tick, skipped: ticking.skipped });
    }
    ticking.skipped = 0;
  };

  const arm = (): void => {
    cancel = clock.after(schedule.wait(), () => {
      const scheduledAt = schedule.take();
      if (scheduledAt !== undefined && !paused) run(scheduledAt, false);
      if (!stopped) arm();
    });
  };
  arm();

  let released: Promise<void> | undefined;
  return {
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
    },
    trigger() {
      if (stopped) throw failure('stopping');
      return run(clock.now(), true);
    },
    async stop() {
      stopped = true;
      cancel();
    },
    async close() {
      stopped = true;
      cancel();
      released ??= shared.release();
      await released;
    },
  };
}
