import type { Failure } from '#sdk';
import type { Candidate } from './balance.ts';
import { type Health, verdictOn } from './ejection.ts';
import type { Place } from './places.ts';
import type { Pool } from './pool.ts';
import type { Target } from './targets.ts';

/** One place where a target is reached, with the connections to it. */
export class Instance implements Candidate {
  readonly target: Target;
  readonly key: string;
  readonly pool: Pool;
  readonly health: Health;
  priority: number;
  weight: number;
  chosen = 0;
  #pending = 0;
  #leaving = false;

  constructor(target: Target, place: Place, pool: Pool, health: Health) {
    this.target = target;
    this.key = place.key;
    this.pool = pool;
    this.health = health;
    this.priority = place.priority;
    this.weight = place.weight;
  }

  get pending(): number {
    return this.#pending;
  }

  /** A call begins. Tell `judged` what became of it, and call `ended` once nothing more of its answer is read. */
  begin(): { readonly judged: (error?: Failure) => void; readonly ended: () => void } {
    this.#pending++;
    const settle = this.health.begin();
    return {
      judged: (error) => settle(verdictOn(error), error),
      ended: () => {
        this.#pending--;
        this.#closeWhenIdle();
      },
    };
  }

  /** No call begins any more; those under way end first. */
  leave(): void {
    this.#leaving = true;
    this.#closeWhenIdle();
  }

  #closeWhenIdle(): void {
    if (this.#leaving && this.#pending === 0) void this.pool.destroy().catch(() => {});
  }
}
