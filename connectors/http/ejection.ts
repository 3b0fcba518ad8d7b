/**
 * Outlier ejection: a target that fails is left alone for a pause that grows, then tried with one call. State only: who
 * is called is the affair of the load balancing.
 */
import { type Clock, type Failure, pauseBound, type Random } from '#sdk';

export interface EjectionOptions {
  readonly failures: number;
  readonly pause: number;
  readonly maxPause: number;
}

/** What became of a call, for the health of its target. */
export type Verdict = 'well' | 'failed' | 'refused' | 'ignored';

/** Not what the caller got wrong, nor our own cancellations, says that a target is ill; every answer says that it lives. */
export function verdictOn(error: Failure | undefined): Verdict {
  if (!error) return 'well';
  if (error.code === 'connection' && error.facts['sent'] === false) return 'refused';
  if (/^http-[1-4]/.test(error.code)) return error.kind === 'transient' ? 'ignored' : 'well';
  return error.kind === 'transient' && error.code !== 'deadline' ? 'failed' : 'ignored';
}

export interface Changes {
  ejected(pauseMs: number, error: Failure | undefined): void;
  back(): void;
}

export class Health {
  readonly #options: EjectionOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #changes: Changes;
  /** Only a probe ends an ejection. */
  readonly #probed: boolean;
  #isIn = true;
  /** In a row. */
  #failures = 0;
  /** In a row too: how often it was ejected without having been well for as long as its last pause. */
  #ejections = 0;
  #pause = 0;
  #until = 0;
  #since = 0;
  #onTrial = false;
  /** Counts changes: what began before the last one is stale, and says nothing any more. */
  #epoch = 0;
  #failedAt = 0;

  constructor(options: EjectionOptions, clock: Clock, random: Random, probed: boolean, changes: Changes) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#probed = probed;
    this.#changes = changes;
  }

  get isIn(): boolean {
    return this.#isIn;
  }

  /** Monotonic milliseconds. */
  get failedAt(): number {
    return this.#failedAt;
  }

  /** Takes calls, or the one that tries whether it does again. */
  get isOpen(): boolean {
    return this.#isIn || this.#maySeek;
  }

  get #maySeek(): boolean {
    return !this.#probed && !this.#onTrial && this.#clock.monotonic() >= this.#until;
  }

  /** A call begins; the returned function is told how it ended. */
  begin(): (verdict: Verdict, error: Failure | undefined) => void {
    const epoch = this.#epoch;
    const trial = !this.#isIn && this.#maySeek;
    if (trial) this.#onTrial = true;
    return (verdict, error) => {
      if (trial) this.#onTrial = false;
      if (epoch !== this.#epoch || verdict === 'ignored') return;
      if (verdict !== 'well') this.#ill(verdict === 'refused', trial, error);
      else if (this.#isIn || !this.#probed) this.#well();
    };
  }

  /** What a probe beside the calls found. */
  probed(error: Failure | undefined): void {
    if (!error) this.#well();
    else if (this.#isIn) this.#eject(error);
  }

  #well(): void {
    this.#failures = 0;
    if (this.#isIn) return;
    this.#isIn = true;
    this.#epoch++;
    this.#since = this.#clock.monotonic();
    this.#changes.back();
  }

  #ill(refused: boolean, trial: boolean, error: Failure | undefined): void {
    this.#failedAt = this.#clock.monotonic();
    if (!this.#isIn) {
      if (trial) this.#eject(error);
      return;
    }
    this.#failures++;
    if (refused || this.#failures >= this.#options.failures) this.#eject(error);
  }

  #eject(error: Failure | undefined): void {
    const now = this.#clock.monotonic();
    this.#failedAt = now;
    if (this.#isIn && now - this.#since > this.#pause) this.#ejections = 0;
    const { pause, maxPause } = this.#options;
    this.#ejections++;
    const longest = pauseBound({ delay: pause, maxDelay: maxPause }, this.#ejections);
    this.#pause = longest;
    // So that many who saw the same failure do not come back in the same moment.
    const drawn = longest * (0.5 + this.#random.next() / 2);
    this.#until = now + drawn;
    this.#isIn = false;
    this.#failures = 0;
    this.#epoch++;
    this.#changes.ejected(Math.round(drawn), error);
  }
}
