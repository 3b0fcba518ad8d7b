import { type Failure, failure } from '../errors.ts';
import { backoff } from './backoff.ts';
import { type Clock, sleep } from './clock.ts';
import type { Log } from './exchange.ts';
import type { Life } from './life.ts';
import type { Random } from './random.ts';

/** What went wrong, in words that hold no secret. */
export interface Trouble {
  readonly detail: string;
  /** Waiting does not heal it (a wrong password, no such queue): a start is given up, later it is tried on all the same. */
  readonly hopeless?: boolean;
}

/** How something at the far side is made, watched and given back: a connection, or what is set up on one. */
export interface LinkPlan<T> {
  /** For the log and for messages, without credentials: `NATS at 127.0.0.1:4222`. */
  readonly far: string;
  /**
   * One attempt, limited in time by itself or by the far side. `signal`: nobody wants it any more. `waits`: to be told what
   * it waits for, where that takes long: nobody else waits for it then.
   */
  open(signal: AbortSignal, waits: (detail: string) => void): Promise<T>;
  /** Resolves when it is gone, with why; `undefined` where that is said already, by what it stands on. Never rejects. */
  lost(opened: T): Promise<string | undefined>;
  close(opened: T): Promise<void>;
  /** By an allow-list of facts: errors of libraries hold addresses with passwords, and payloads. */
  explain(thrown: unknown): Trouble;
}

export interface LinkWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Why what stands on several links, each on the one before it, is not up: the first that is down knows. */
export const troubleOf = (...links: readonly Pick<Link<unknown>, 'opened' | 'trouble'>[]): string | undefined =>
  links.find(({ opened }) => opened === undefined)?.trouble;

const pauses = { delay: 200, maxDelay: 10_000 };
/** What held for so long was well: the next loss is a first one again. */
const settledAfter = 10_000;

/**
 * Keeps something at the far side up: opened at the start, opened again when it is lost, with growing pauses and full
 * jitter. Says so once when it is down, again only when the reason is another, and once when it is up again.
 */
export class Link<T> {
  readonly #plan: LinkPlan<T>;
  readonly #world: LinkWorld;
  readonly #ending = new AbortController();
  /** Called with what was opened; by who waits for it, and who wants to know of each. */
  readonly #waiting = new Set<(opened: T) => void>();
  readonly #watching = new Set<(opened: T) => void>();
  /** What was said since it was last up. */
  readonly #said = new Set<string>();
  #opened: T | undefined;
  #trouble = 'not connected yet';
  #first: Promise<void> | undefined;
  #keeping: Promise<void> | undefined;

  constructor(plan: LinkPlan<T>, world: LinkWorld) {
    this.#plan = plan;
    this.#world = world;
  }

  /** `undefined` while it is down. */
  get opened(): T | undefined {
    return this.#opened;
  }

  /** Why it is down. */
  get trouble(): string {
    return this.#trouble;
  }

  /**
   * Begins, once. Resolves after the first attempt, whatever came of it; rejects with `startup` when waiting would not
   * heal what went wrong. `patient`: never rejects, and does not wait for the first attempt.
   */
  start({ patient = false }: { readonly patient?: boolean } = {}): Promise<void> {
    this.#first ??= new Promise((resolve, reject) => {
      this.#keeping = this.#keep(patient, resolve, reject);
      if (patient) resolve();
    });
    return this.#first;
  }

  /** Waits until it is up; when the message is given up before, rejects with `connection`, of which nothing was sent. */
  up(life: Life, endpoint: string): Promise<T> {
    if (this.#opened !== undefined) return Promise.resolve(this.#opened);
    if (this.#ending.signal.aborted) return Promise.reject(failure('stopping'));
    return new Promise((resolve, reject) => {
      // Called when it comes, which may be never.
      let leave = (): void => {};
      const came = (opened: T): void => {
        leave();
        resolve(opened);
      };
      this.#waiting.add(came);
      leave = life.onAbort((reason) => {
        this.#waiting.delete(came);
        reject(reason.kind === 'cancelled' ? reason : this.down(endpoint));
      });
    });
  }

  /** Waits until it is up, for something that is to be set up on it. */
  reached(signal: AbortSignal): Promise<T> {
    if (this.#opened !== undefined) return Promise.resolve(this.#opened);
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiting.delete(came);
        reject(signal.reason);
      };
      const came = (opened: T): void => {
        signal.removeEventListener('abort', end);
        resolve(opened);
      };
      signal.addEventListener('abort', end, { once: true });
      this.#waiting.add(came);
      if (signal.aborted) end();
    });
  }

  /** What a call ends with that could not be sent. */
  down(endpoint: string): Failure {
    return failure('connection', { endpoint, detail: this.#trouble, sent: false });
  }

  /** Calls `run` each time it comes up (at once if it is); the returned function ends that. */
  onUp(run: (opened: T) => void): () => void {
    this.#watching.add(run);
    if (this.#opened !== undefined) run(this.#opened);
    return () => this.#watching.delete(run);
  }

  /** Gives it back, and tries no more. Idempotent. */
  async close(): Promise<void> {
    this.#ending.abort(failure('stopping'));
    await this.#keeping;
  }

  async #keep(patient: boolean, started: () => void, refused: (error: Failure) => void): Promise<void> {
    const { clock } = this.#world;
    const { signal } = this.#ending;
    let begun = patient;
    const waits = (detail: string): void => {
      this.#say(detail);
      begun = true;
      started();
    };
    for (let failures = 0; !signal.aborted; ) {
      const trouble = await this.#attempt(signal, waits);
      if (trouble === undefined) {
        const since = clock.monotonic();
        started();
        begun = true;
        await this.#hold();
        failures = clock.monotonic() - since < settledAfter ? failures + 1 : 1;
      } else {
        if (trouble.hopeless && !begun) {
          refused(failure('startup', { what: this.#plan.far, detail: trouble.detail }));
          return;
        }
        failures++;
        this.#say(trouble.detail);
        started();
        begun = true;
      }
      await this.#pause(failures);
    }
    started();
  }

  async #attempt(signal: AbortSignal, waits: (detail: string) => void): Promise<Trouble | undefined> {
    try {
      const opening = this.#plan.open(signal, waits);
      const opened = await this.#unlessEnded(opening);
      if (opened === undefined) void opening.then((late) => this.#giveBack(late)).catch(() => undefined);
      this.#opened = opened;
      return undefined;
    } catch (thrown) {
      return this.#plan.explain(thrown);
    }
  }

  /** Until it is lost, or not needed any more. */
  async #hold(): Promise<void> {
    const opened = this.#opened;
    if (opened === undefined) return;
    if (this.#said.size > 0) this.#world.log.info('connected', { far: this.#plan.far });
    this.#said.clear();
    // Whoever hears of it may add or remove listeners.
    const told = [...this.#watching, ...this.#waiting];
    this.#waiting.clear();
    for (const run of told) run(opened);
    const why = await this.#unlessEnded(this.#plan.lost(opened));
    this.#opened = undefined;
    if (why !== undefined) this.#say(why);
    await this.#giveBack(opened);
  }

  #giveBack(opened: T): Promise<void> {
    return this.#plan.close(opened).catch(() => undefined);
  }

  /** `work`, or `undefined` as soon as it is not needed any more. */
  #unlessEnded<R>(work: Promise<R>): Promise<R | undefined> {
    const { signal } = this.#ending;
    return new Promise((resolve, reject) => {
      const end = (): void => resolve(undefined);
      signal.addEventListener('abort', end, { once: true });
      if (signal.aborted) end();
      work.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
    });
  }

  #say(detail: string): void {
    this.#trouble = detail;
    if (this.#said.has(detail) || this.#ending.signal.aborted) return;
    this.#said.add(detail);
    this.#world.log.warn('not connected; it is tried again', { far: this.#plan.far, detail });
  }

  #pause(failures: number): Promise<void> {
    const { clock, random } = this.#world;
    return sleep(clock, backoff(pauses, failures, random), this.#ending.signal).catch(() => undefined);
  }
}
