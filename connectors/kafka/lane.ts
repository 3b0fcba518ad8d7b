import { type Failure, failure, type Life } from '#sdk';
import type { Outgoing } from './outgoing.ts';
import { unreachable } from './trouble.ts';

/** Who a sequence of batches comes from: the broker drops what it has of it already. */
export interface Identity {
  readonly id: bigint;
  readonly epoch: number;
}

/** A record that somebody waits for. */
export class Entry {
  readonly record: Outgoing;
  readonly endpoint: string;
  /** It was in a request. */
  sent = false;
  /** Why the last request with it failed. */
  trouble: string | undefined;
  /** With others it was too large. */
  alone = false;
  over = false;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;
  #leave = (): void => {};

  constructor(record: Outgoing, endpoint: string, resolve: () => void, reject: (error: unknown) => void) {
    this.record = record;
    this.endpoint = endpoint;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Ends with the message that it belongs to; `gone` hears of that. */
  follow(life: Life, down: () => string | undefined, gone: () => void): void {
    this.#leave = life.onAbort((reason) => {
      this.fail(reason.kind === 'cancelled' ? reason : this.#late(reason, down()));
      gone();
    });
  }

  done(): void {
    if (this.over) return;
    this.over = true;
    this.#leave();
    this.#resolve();
  }

  fail(error: Failure): void {
    if (this.over) return;
    this.over = true;
    this.#leave();
    this.#reject(error);
  }

  /** What it means that the time was over. */
  #late(reason: Failure, down: string | undefined): Failure {
    const detail = down ?? this.trouble;
    if (this.sent) return detail === undefined ? reason : unreachable(this.endpoint, detail, true);
    return unreachable(this.endpoint, detail ?? 'other records were still before it', false);
  }
}

/** What goes to one partition: one batch after the other, in the order in which the records came. */
export class Lane {
  readonly topic: string;
  readonly partition: number;
  waiting: Entry[] = [];
  /** It may be there already: it must go again as it is, under the same number. */
  doubtful: readonly Entry[] | undefined;
  /** In a request now. */
  busy = false;
  identity: Identity | undefined;
  /** The one before, with which nothing may be counted any more. */
  spent: Identity | undefined;
  sequence = 0;
  /** Monotonic time before which nothing is tried. */
  notBefore = 0;
  failures = 0;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  get idle(): boolean {
    return this.waiting.length === 0 && !this.doubtful && !this.busy;
  }

  begin(identity: Identity): void {
    this.identity = identity;
    this.sequence = 0;
  }

  /** The broker has forgotten how far the count was. */
  renew(): void {
    this.spent = this.identity;
    this.identity = undefined;
  }

  /** Lets go of what nobody waits for. */
  tidy(): void {
    if (this.busy) return;
    if (this.doubtful?.every((one) => one.over)) this.#forget();
    this.waiting = this.waiting.filter((one) => !one.over);
  }

  /** What goes into the next request. */
  next(maxBytes: number): readonly Entry[] {
    if (this.doubtful) return this.doubtful;
    let count = 0;
    for (let bytes = 0; count < this.waiting.length; count++) {
      const entry = this.waiting[count];
      bytes += entry?.record.size ?? 0;
      if (count > 0 && (bytes > maxBytes || entry?.alone || this.waiting[0]?.alone)) break;
    }
    return this.waiting.splice(0, count);
  }

  /** The broker has them. */
  written(batch: readonly Entry[]): void {
    this.doubtful = undefined;
    this.failures = 0;
    this.sequence = (this.sequence + batch.length) & 0x7fffffff;
    for (const entry of batch) entry.done();
  }

  /** The broker surely does not have them: they go again, or not at all (`error`). */
  unwritten(batch: readonly Entry[], error?: (entry: Entry) => Failure): void {
    if (this.doubtful && !error) return;
    if (this.doubtful) this.#forget();
    if (error) for (const entry of batch) entry.fail(error(entry));
    else this.waiting.unshift(...batch);
  }

  /** Together they are too large, and the broker has none of them. */
  split(batch: readonly Entry[]): void {
    this.doubtful = undefined;
    for (const entry of batch) entry.alone = true;
    this.waiting.unshift(...batch);
  }

  /** Nobody can say whether the broker has them. */
  unknown(batch: readonly Entry[]): void {
    this.doubtful = batch;
  }

  end(): void {
    const all = [...(this.doubtful ?? []), ...this.waiting];
    this.doubtful = undefined;
    this.waiting = [];
    for (const entry of all) entry.fail(failure('stopping'));
  }

  /** Nobody waits for what may or may not be there: its number may be used up, so a new count begins. */
  #forget(): void {
    this.doubtful = undefined;
    this.renew();
  }
}
