import { cpuTime } from './cpu-time.ts';

/** What one evaluation may cost. An expression never stops the process and never holds the event loop. */
export const limits = {
  /** Milliseconds of its own running time; waiting for its turn is not counted. */
  timeMs: 1_000,
  /** After this many milliseconds in one turn of the event loop, all running evaluations let others go first. */
  sliceMs: 10,
  /** Milliseconds for one regular expression to look for a batch of matches. */
  regexMs: 50,
  /** Evaluations inside evaluations: recursion that is not tail recursion. */
  depth: 20_000,
  /** Characters of one text. */
  textLength: 10_000_000,
  /** Entries of one list. */
  listLength: 1_000_000,
  /** Characters of all texts that one evaluation builds. */
  textTotal: 100_000_000,
  /** Entries of all lists that one evaluation builds. */
  listTotal: 10_000_000,
  /** Comparisons of one order-by: about 4,500 entries (the sort keeps a copy of the rest for each comparison). */
  comparisons: 100_000,
  /** List entries and object fields that the compiled form, which does not yield, works on: at most 0.3 s. */
  visits: 1_000_000,
} as const;

/** Thrown inside an evaluation that reached a limit; becomes the failure `expression-limit`. */
export class LimitReached extends Error {
  override readonly name = 'LimitReached';
}

/** One turn of the event loop, from the first evaluation in it to the next check phase. */
interface Turn {
  readonly startedAt: number;
  readonly ended: Promise<void>;
}

// There is one event loop a thread, so its stopwatch is the one thing here that evaluations share. It measures
// processor time: the injected clock of the messages has no say in it.
class Stopwatch {
  #turn: Turn | undefined;
  #last: Meter | undefined;
  #lastAt = 0;

  /** Charges the time since the last tick to whoever ticked last: evaluations interleave in microtasks. */
  tick(meter: Meter): Promise<void> | undefined {
    const now = performance.now();
    if (this.#last) this.#last.spentMs += now - this.#lastAt;
    this.#last = meter;
    this.#lastAt = now;
    const turn = this.#turn ?? this.#open(now);
    if (now - turn.startedAt < limits.sliceMs) return undefined;
    this.#last = undefined;
    return turn.ended;
  }

  leave(meter: Meter): void {
    if (this.#last === meter) this.#last = undefined;
  }

  #open(now: number): Turn {
    const ended = new Promise<void>((resolve) => {
      setImmediate(() => {
        this.#turn = undefined;
        this.#last = undefined;
        resolve();
      });
    });
    this.#turn = { startedAt: now, ended };
    return this.#turn;
  }
}

const stopwatch = new Stopwatch();

/** What one evaluation has used so far. */
export class Meter {
  spentMs = 0;
  #allowedMs: number = limits.timeMs;
  #cpuAtLimit: number | undefined;
  #text = 0;
  #entries = 0;
  #comparisons = 0;
  #reached: LimitReached | undefined;

  /** Called at every node and every function; a promise means: wait for your next turn. */
  tick(): Promise<void> | undefined {
    // The keys of an object are evaluated side by side: what one of them reached ends the others.
    if (this.#reached) throw this.#reached;
    const pause = stopwatch.tick(this);
    if (this.spentMs > this.#allowedMs) this.#overtime();
    return pause;
  }

  nested(depth: number): void {
    if (depth <= limits.depth) return;
    this.#stop(
      `it is nested more than ${limits.depth} deep; does a function call itself, or a grouping have as many keys?`,
    );
  }

  /**
   * The stopwatch reads the clock, which costs little, but counts what the machine did besides: at the limit the time of
   * the processor decides, over one more quarter of it, four times at most.
   */
  #overtime(): void {
    const cpu = cpuTime();
    const quarter = limits.timeMs / 4;
    const computed = this.#cpuAtLimit === undefined ? 0 : cpu - this.#cpuAtLimit;
    if (computed > quarter / 2 || this.#allowedMs >= 2 * limits.timeMs) {
      this.#stop(`it ran for more than ${limits.timeMs} ms`);
    }
    this.#cpuAtLimit = cpu;
    this.#allowedMs += quarter;
  }

  built(value: unknown): void {
    if (typeof value === 'string') this.text(value.length);
    else if (Array.isArray(value)) this.list(value.length);
  }

  text(length: number): void {
    if (length > limits.textLength) this.#stop(`a text grew over ${limits.textLength} characters`);
    this.#text += length;
    if (this.#text > limits.textTotal) this.#stop(`it built more than ${limits.textTotal} characters`);
  }

  /** A joined text shares its parts, so only its length counts, not its making. */
  joined(length: number): void {
    if (length > limits.textLength) this.#stop(`a text grew over ${limits.textLength} characters`);
  }

  list(length: number): void {
    if (length > limits.listLength) this.#stop(`a list grew over ${limits.listLength} entries`);
    this.#entries += length;
    if (this.#entries > limits.listTotal) this.#stop(`it built more than ${limits.listTotal} list entries`);
  }

  compared(): void {
    this.#comparisons += 1;
    if (this.#comparisons > 2 * limits.comparisons) {
      this.#stop(`an order-by needed more than ${limits.comparisons} comparisons; use $sort`);
    }
  }

  end(): void {
    stopwatch.leave(this);
  }

  #stop(detail: string): never {
    this.#reached = new LimitReached(detail);
    throw this.#reached;
  }
}
