import { type Failure, failure, type Outcome } from '../errors.ts';
import { Bag, type Member } from './bag.ts';
import type { Body } from './body.ts';
import type { Clock } from './clock.ts';
import type { Exchange } from './exchange.ts';
import type { Journal } from './journal.ts';

/** A compensating transaction of a step that was done. */
export interface Undo {
  readonly place: string;
  /** What it takes back. */
  readonly outcome: Outcome;
  /** The message as it is undone. */
  readonly saw?: Exchange | undefined;
  /** `life`: its own, for the message's may be over. `error`: why it is undone. `attempt`: from 1. */
  run(life: Life, error: Failure, attempt: number): Promise<unknown>;
}

/** Told how the message as a whole ended: `undefined` = well. May say that it is safe all the same, and what its end is then. */
export type OnSettled = (error: Failure | undefined) => Promise<{ readonly instead: Exchange | undefined } | undefined>;

/** Told when a message is given up. */
export interface Giving extends Member {
  abort(reason: Failure): void;
}

/**
 * How long a message may go on: one absolute deadline and one way to be cancelled. Listening costs next to nothing;
 * an AbortSignal is made only for those who need one. Branches have a life of their own that ends with their parent's.
 */
export class Life implements Giving {
  /** Among those that its parent tells. */
  place = -1;
  readonly clock: Clock;
  /** Monotonic milliseconds; `undefined` = none. */
  readonly deadline: number | undefined;
  /** Who is told of effects as well. */
  readonly #account: Life | undefined;
  /** The life of the message as a whole. */
  readonly #root: Life;
  /** The life that keeps what is to be undone: of the flow around. */
  readonly #scope: Life;
  readonly #outer: Life | undefined;
  readonly #journal: Journal | undefined;
  /** Nearly always there is one at a time: a bag is made for the second. */
  #listener: Giving | undefined;
  #listeners: Bag<Giving> | undefined;
  #reason: Failure | undefined;
  #controller: AbortController | undefined;
  #cancelTimer: (() => void) | undefined;
  /** Whose end is its own. */
  #parent: Life | undefined;
  #outcome: Outcome = 'none';
  #undo: Undo[] | undefined;
  #bodies: Set<Body> | undefined;
  #settling: OnSettled[] | undefined;

  /**
   * `deadline`: monotonic milliseconds. `late` makes the reason for its passing. `since`: the monotonic now, for who has
   * just asked: every message and every call has a life, and asking is not free.
   */
  constructor(
    clock: Clock,
    options: {
      readonly deadline?: number | undefined;
      readonly since?: number;
      readonly late?: () => Failure;
      readonly parent?: Life;
      /** Belongs to `parent` for the account of effects only: outlives it. */
      readonly detached?: boolean;
      /** With an account of its own: somebody else answers for what is done here. */
      readonly apart?: boolean;
      /** A scope of undoing: what is done inside is undone together. Without a parent it always is one. */
      readonly scope?: boolean;
      /** Of a message as a whole: it is durable. */
      readonly journal?: Journal | undefined;
    } = {},
  ) {
    this.clock = clock;
    this.#journal = options.journal;
    this.#account = options.apart ? undefined : options.parent;
    this.#root = options.parent ? options.parent.#root : this;
    this.#scope = options.parent && !options.scope ? options.parent.#scope : this;
    this.#outer = options.parent ? options.parent.#scope : undefined;
    const inherited = options.detached ? undefined : options.parent?.deadline;
    const own = options.deadline;
    this.deadline = own !== undefined && (inherited === undefined || own < inherited) ? own : inherited;
    if (own !== undefined && own === this.deadline) {
      const { since = clock.monotonic(), late } = options;
      const passed = (): void => this.abort(late ? late() : failure('deadline'));
      this.#cancelTimer = clock.after(Math.max(0, own - since), passed, true, since);
    }
    if (options.detached) return;
    this.#parent = options.parent;
    options.parent?.listen(this);
  }

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  /** It goes on after a restart: whoever hears of it leaves everything as it is. */
  get suspended(): boolean {
    return this.#root.#reason?.code === 'suspended';
  }

  /** The account of a durable message. */
  get journal(): Journal | undefined {
    return this.#root.#journal;
  }

  /** Milliseconds left; `undefined` = no deadline. */
  get left(): number | undefined {
    return this.deadline === undefined ? undefined : Math.max(0, this.deadline - this.clock.monotonic());
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Throws the reason once the message was given up. */
  check(): void {
    if (this.#reason) throw this.#reason;
  }

  /** Tells `listener` when the message is given up; at once if it was. */
  listen(listener: Giving): void {
    if (this.#reason) listener.abort(this.#reason);
    else if (!this.#listener) this.#listener = listener;
    else {
      this.#listeners ??= new Bag();
      this.#listeners.add(listener);
    }
  }

  leave(listener: Giving): void {
    if (this.#listener === listener) this.#listener = undefined;
    else this.#listeners?.delete(listener);
  }

  /** As {@link listen}; the returned function stops listening. */
  onAbort(abort: (reason: Failure) => void): () => void {
    const listener = { place: -1, abort };
    this.listen(listener);
    return () => this.leave(listener);
  }

  /** A little more time when the message is over, for what must still be done: answering, undoing, cleaning up. To be ended. */
  grace(ms = 10_000): Life {
    return new Life(this.clock, { parent: this, detached: true, deadline: this.clock.monotonic() + ms });
  }

  /** For undoing: as {@link grace}, and what is done is nobody's to undo again. */
  undoing(ms: number): Life {
    const deadline = this.clock.monotonic() + ms;
    return new Life(this.clock, { parent: this, detached: true, apart: true, scope: true, deadline });
  }

  abort(reason: Failure): void {
    if (this.#reason) return;
    this.#reason = reason;
    const listeners = [...(this.#listener ? [this.#listener] : []), ...(this.#listeners ?? [])];
    this.end();
    this.#controller?.abort(reason);
    for (const listener of listeners) listener.abort(reason);
  }

  /** What was changed outside so far, here and in all branches, and not undone. */
  get outcome(): Outcome {
    return (this.#undo ?? []).reduce((all, undo) => worse(all, undo.outcome), this.#outcome);
  }

  /** An effect happened (`partial`) or may have happened (`unknown`, which nothing takes back). */
  affect(outcome: Outcome): void {
    if (outcome === 'none') return;
    for (let life: Life | undefined = this; life; life = life.#account) {
      life.#outcome = worse(life.#outcome, outcome);
    }
  }

  /** Remembers how to undo what was just done, for the nearest scope. */
  onUndo(undo: Undo): void {
    const scope = this.#scope;
    scope.#undo ??= [];
    scope.#undo.push(undo);
  }

  /** What is to be undone of this scope, the latest first; each is handed out once. */
  takeUndo(): readonly Undo[] {
    const undo = this.#scope.#undo ?? [];
    this.#scope.#undo = undefined;
    return undo.reverse();
  }

  /** The scope ended well: if the one around it fails later, what was done here is undone with it. */
  leaveUndo(): void {
    for (const undo of this.#scope.#undo ?? []) this.#outer?.onUndo(undo);
    this.#scope.#undo = undefined;
  }

  /** The scope ended well, and for good: what was done here is never undone. */
  dropUndo(): void {
    const undos = this.#scope.#undo ?? [];
    this.#scope.#undo = undefined;
    for (const undo of undos) this.affect(undo.outcome);
  }

  /** Calls `listener` when the message as a whole has ended, before its source hears of it. */
  onSettled(listener: OnSettled): void {
    const root = this.#root;
    root.#settling ??= [];
    root.#settling.push(listener);
  }

  /** Tells those who wanted to know, the latest first. What one of them says instead of `error` counts. */
  async settled(error: Failure | undefined): Promise<{ readonly instead: Exchange | undefined } | undefined> {
    let said: { readonly instead: Exchange | undefined } | undefined;
    for (const listener of this.#settling?.reverse() ?? []) said = (await listener(error)) ?? said;
    this.#settling = undefined;
    return said;
  }

  /** Whether somebody wants to be told how the message ends. */
  get settles(): boolean {
    return this.#settling !== undefined;
  }

  /** An answer that may never be read: {@link discard} gives its connection back. */
  keep(body: Body): void {
    if (!body.isStream) return;
    const root = this.#root;
    root.#bodies ??= new Set();
    const bodies = root.#bodies.add(body);
    // A message that calls a thousand times does not hold a thousand answers that were read.
    body.whenClosed(() => bodies.delete(body));
  }

  /** Drops every kept body but `except`, which is on its way to the caller. */
  discard(except?: Body): void {
    for (const body of this.#bodies ?? []) if (body !== except) body.discard();
    this.#bodies = undefined;
  }

  /** The work is over: nothing of it stays behind. */
  end(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#parent?.leave(this);
    this.#parent = undefined;
    this.#listener = undefined;
    this.#listeners = undefined;
  }

  /** `work`, or the reason of being given up, whichever comes first: for work that cannot be cancelled itself. */
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const leave = this.onAbort(reject);
      work.then(
        (value) => {
          leave();
          resolve(value);
        },
        (error: unknown) => {
          leave();
          reject(error);
        },
      );
    });
  }
}

const worse = (a: Outcome, b: Outcome): Outcome =>
  a === 'unknown' || b === 'unknown' ? 'unknown' : a === 'partial' || b === 'partial' ? 'partial' : 'none';
