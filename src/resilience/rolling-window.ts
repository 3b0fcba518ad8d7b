import type { Clock } from '../core/clock.ts';

interface Bucket {
  /** Number of the slice of time that it counts. */
  slice: number;
  calls: number;
  failures: number;
  slow: number;
}

const size = 10;
const empty: Readonly<Bucket> = { slice: -1, calls: 0, failures: 0, slow: 0 };

/** Counts calls over the last `window` milliseconds, in ten slices: what is older than the window by a slice is forgotten. */
export class RollingWindow {
  readonly #clock: Clock;
  readonly #sliceMs: number;
  readonly #buckets: Bucket[] = Array.from({ length: size }, () => ({ ...empty }));

  constructor(window: number, clock: Clock) {
    this.#clock = clock;
    this.#sliceMs = window / size;
  }

  add(failed: boolean, slow: boolean): void {
    const slice = this.#slice();
    const bucket = this.#buckets[slice % size];
    if (!bucket) return;
    if (bucket.slice !== slice) Object.assign(bucket, empty, { slice });
    bucket.calls++;
    if (failed) bucket.failures++;
    if (slow) bucket.slow++;
  }

  counts(): { readonly calls: number; readonly failures: number; readonly slow: number } {
    const oldest = this.#slice() - size + 1;
    const total = { calls: 0, failures: 0, slow: 0 };
    for (const bucket of this.#buckets) {
      if (bucket.slice < oldest) continue;
      total.calls += bucket.calls;
      total.failures += bucket.failures;
      total.slow += bucket.slow;
    }
    return total;
  }

  clear(): void {
    for (const bucket of this.#buckets) Object.assign(bucket, empty);
  }

  #slice(): number {
    return Math.floor(this.#clock.monotonic() / this.#sliceMs);
  }
}
