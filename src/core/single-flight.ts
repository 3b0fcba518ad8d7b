import { copyOf, toFailure } from '../errors.ts';
import type { Life } from './life.ts';

/** Work that several messages want at once is done by the first of them; the others wait for it. */
export class SingleFlight<T> {
  readonly #underWay = new Map<string, Promise<T>>();

  /**
   * Whoever waits gets the error of who works; unless that one was given up, which is no matter of theirs: then the next
   * one works. Waiting ends with `life`.
   */
  async do(key: string, life: Life, work: () => Promise<T>): Promise<T> {
    for (;;) {
      const other = this.#underWay.get(key);
      if (!other) return this.#work(key, work);
      try {
        return await life.race(other);
      } catch (thrown) {
        life.check();
        const error = toFailure(thrown);
        // Each message writes into its error what became of it.
        if (error.kind !== 'cancelled' && error.code !== 'deadline') throw copyOf(error);
      }
    }
  }

  #work(key: string, work: () => Promise<T>): Promise<T> {
    const working = work();
    this.#underWay.set(key, working);
    const over = (): void => {
      this.#underWay.delete(key);
    };
    working.then(over, over);
    return working;
  }
}
