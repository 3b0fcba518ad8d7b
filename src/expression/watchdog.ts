import vm from 'node:vm';
import { cpuTime } from './cpu-time.ts';
import { LimitReached, limits } from './limits.ts';

// `timeout` interrupts whatever runs below it, a backtracking regular expression too. 75 µs a call.
class Watchdog {
  readonly #context: { task: (() => unknown) | undefined } = { task: undefined };
  readonly #script = new vm.Script('task()');

  constructor() {
    vm.createContext(this.#context);
  }

  run<T>(task: () => T, timeout: number): T {
    for (let attempt = 1; ; attempt++) {
      const before = cpuTime();
      const done = this.#attempt(task, timeout);
      if (done) return done.value;
      // The timeout is one of the clock: on a machine that had other things to do it says nothing.
      if (attempt === maxAttempts || cpuTime() - before > timeout / 2) {
        throw new LimitReached(`a pattern needed more than ${timeout} ms on this text`);
      }
    }
  }

  /** `undefined`: it was stopped. */
  #attempt<T>(task: () => T, timeout: number): { readonly value: T } | undefined {
    this.#context.task = task;
    try {
      return { value: this.#script.runInContext(this.#context, { timeout }) as T };
    } catch (error) {
      // The error belongs to the other realm: it is no instance of our Error.
      if ((error as { readonly code?: unknown } | undefined)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
      throw error;
    } finally {
      this.#context.task = undefined;
    }
  }
}

/** How often a task is begun again that was stopped before it had used its time. */
const maxAttempts = 5;

let watchdog: Watchdog | undefined;

/** Runs `task`, which must be synchronous and may be begun again, and stops it after `timeout` milliseconds of its own. */
export function watched<T>(task: () => T, timeout: number = limits.regexMs): T {
  watchdog ??= new Watchdog(); // 1 ms and 1 MB: only for those who need it
  return watchdog.run(task, timeout);
}
