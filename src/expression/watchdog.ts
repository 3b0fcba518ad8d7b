import vm from 'node:vm';
import { LimitReached, limits } from './limits.ts';

// `timeout` interrupts whatever runs below it, a backtracking regular expression too. 75 µs a call.
class Watchdog {
  readonly #context: { task: (() => unknown) | undefined } = { task: undefined };
  readonly #script = new vm.Script('task()');

  constructor() {
    vm.createContext(this.#context);
  }

  run<T>(task: () => T, timeout: number): T {
    this.#context.task = task;
    try {
      return this.#script.runInContext(this.#context, { timeout }) as T;
    } catch (error) {
      // The error belongs to the other realm: it is no instance of our Error.
      if ((error as { readonly code?: unknown } | undefined)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
        throw new LimitReached(`a pattern needed more than ${timeout} ms on this text`);
      }
      throw error;
    } finally {
      this.#context.task = undefined;
    }
  }
}

let watchdog: Watchdog | undefined;

/** Runs `task`, which must be synchronous, and stops it after `timeout` milliseconds. */
export function watched<T>(task: () => T, timeout: number = limits.regexMs): T {
  watchdog ??= new Watchdog(); // 1 ms and 1 MB: only for those who need it
  return watchdog.run(task, timeout);
}
