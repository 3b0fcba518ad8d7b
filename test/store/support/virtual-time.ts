import type { VirtualClock } from '../../../src/core/clock.ts';
import type { Opened } from './subject.ts';

/** Lets virtual time pass, ten milliseconds after ten, for a minute at most. */
export const passing =
  (clock: VirtualClock): Opened['until'] =>
  async (what, holds) => {
    for (let passed = 0; passed <= 60_000; passed += 10) {
      if (await holds()) return;
      await clock.advance(10);
    }
    throw new Error(`did not happen within a minute of virtual time: ${what}`);
  };
