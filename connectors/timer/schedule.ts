import type { Clock } from '#sdk';

/** When the ticks are. Both kinds take the ticks that nobody could take in time as one: no bursts. */
export interface Schedule {
  /** The tick that is due by now, as its wall-clock time in milliseconds; taken by whoever asks first. */
  take(): number | undefined;
  /** Milliseconds to wait before asking again. */
  wait(): number;
}

// A timer may fire a fraction of a millisecond before its time on the monotonic clock.
const early = 1;

/** A fixed rate from the start on, by the monotonic clock: setting the wall clock changes nothing. */
export function everySchedule(clock: Clock, every: number, immediately: boolean): Schedule {
  const start = clock.monotonic();
  let next = immediately ? 0 : 1;
  const due = (): number => start + next * every;
  return {
    wait: () => Math.max(0, due() - clock.monotonic()),
    take() {
      const now = clock.monotonic();
      if (now < due() - early) return undefined;
      next = Math.max(next, Math.floor((now - start) / every));
      const late = now - due();
      next += 1;
      return Math.round(clock.now() - late);
    },
  };
}

// The wall clock is looked at this often, so that a clock that was set, or a machine that slept, is noticed.
const glance = 30_000;
// Set back by less, a clock was corrected, and no time may come twice; set back by more, it had been wrong.
const wrongBy = 3 * 3_600_000;

/** Times of the wall clock. A time that went by (clock set forward, machine asleep) gives one late tick. */
export function cronSchedule(clock: Clock, nextAfter: (from: number) => number | undefined): Schedule {
  let latest = clock.now();
  let next = nextAfter(latest);
  return {
    wait: () => Math.min(glance, Math.max(0, (next ?? Number.POSITIVE_INFINITY) - clock.now())),
    take() {
      const now = clock.now();
      if (now < latest - wrongBy) {
        next = nextAfter(now);
        latest = now;
      }
      latest = Math.max(latest, now);
      if (next === undefined || now < next) return undefined;
      const scheduledAt = next;
      next = nextAfter(now);
      return scheduledAt;
    },
  };
}
