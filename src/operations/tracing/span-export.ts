import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/exchange.ts';
import type { Counter, Meter } from '../../core/meter.ts';
import type { Random } from '../../core/random.ts';
import { detailOf } from '../../errors.ts';
import type { FinishedSpan } from './finished-span.ts';
import type { Delivery } from './receiver.ts';
import type { BatchSettings } from './settings.ts';

export interface ExportWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly meter: Meter;
  readonly batch: BatchSettings;
  /** How the receiver is called in the log. */
  readonly to: string;
  readonly post: (spans: readonly FinishedSpan[]) => Promise<Delivery>;
}

/** The pause after the first failed try; it doubles up to the longest one. Milliseconds. */
const [firstPause, longestPause] = [1_000, 30_000] as const;
/** Reasons may come out of what the receiver answers. */
const mostReasons = 10;

/**
 * Spans on their way to the receiver: they wait for each other in a bounded queue and go out in batches, one after the
 * other. While the receiver is away the queue fills and what comes then is dropped and counted: nothing ever waits for it.
 */
export class SpanExport {
  readonly #world: ExportWorld;
  readonly #exported: Counter;
  readonly #dropped: (reason: 'queue-full' | 'refused' | 'stopped') => Counter;
  #waiting: FinishedSpan[] = [];
  #cancelTimer: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #endPause: () => void = () => {};
  #closing = false;
  /** What comes of a request is too late to count. */
  #over = false;
  /** How many spans the last request has. */
  #underWay = 0;
  /** Why deliveries failed since the last that did not. */
  readonly #trouble = new Set<string>();
  #lostInTrouble = 0;
  #lostAtStop = 0;

  constructor(world: ExportWorld) {
    this.#world = world;
    const { meter } = world;
    const help = 'Spans that never reached the receiver of traces.';
    this.#exported = meter.counter('dowel_spans_exported_total', 'Spans that the receiver of traces has taken.');
    this.#dropped = (reason) => meter.counter('dowel_spans_dropped_total', help, { reason });
    // Seen from the start: a rate can be computed only from a series that is there.
    for (const reason of ['queue-full', 'refused', 'stopped'] as const) this.#dropped(reason).add(0);
    meter.gauge('dowel_spans_waiting', 'Spans that wait to be exported.', {}, () => this.#waiting.length);
  }

  add(span: FinishedSpan): void {
    const { capacity, size, delay } = this.#world.batch;
    if (this.#waiting.length >= capacity) {
      this.#drop(1, 'queue-full');
      return;
    }
    this.#waiting.push(span);
    if (this.#running) return;
    if (this.#waiting.length >= size) this.#run();
    else this.#cancelTimer ??= this.#world.clock.after(delay, () => this.#run(), true);
  }

  /** Sends what waits, within `ms`; what is left then is dropped. */
  async close(ms: number): Promise<void> {
    this.#closing = true;
    this.#endPause();
    this.#run();
    const running = this.#running;
    if (!running) return;
    await new Promise<void>((resolve) => {
      const late = (): void => {
        this.#over = true;
        this.#drop(this.#underWay, 'stopped');
        resolve();
      };
      const cancel = this.#world.clock.after(ms, late);
      void running.finally(() => {
        cancel();
        resolve();
      });
    });
    this.#dropWaiting();
    if (this.#lostAtStop > 0) {
      this.#world.log.warn('spans were given up', { to: this.#world.to, spans: this.#lostAtStop });
    }
  }

  #run(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#running ??= this.#sendAll().finally(() => {
      this.#running = undefined;
      const { length } = this.#waiting;
      if (length > 0 && !this.#closing) {
        this.#cancelTimer ??= this.#world.clock.after(this.#world.batch.delay, () => this.#run(), true);
      }
    });
  }

  /** Until what is left makes no whole batch and may wait for more. */
  async #sendAll(): Promise<void> {
    const { size } = this.#world.batch;
    do {
      const batch = this.#waiting.slice(0, size);
      this.#waiting = this.#waiting.slice(size);
      if (batch.length > 0) await this.#send(batch);
    } while (this.#waiting.length >= (this.#closing ? 1 : size));
  }

  async #send(batch: readonly FinishedSpan[]): Promise<void> {
    this.#underWay = batch.length;
    for (let tries = 1; ; tries++) {
      const delivery = await this.#world.post(batch).catch(refusedHere);
      if (this.#over) return;
      if (delivery.taken) {
        this.#exported.add(batch.length - delivery.rejected);
        if (delivery.rejected > 0) this.#refused(delivery.rejected, `it rejected spans: ${delivery.why}`);
        else this.#well();
        return;
      }
      if (!delivery.again) {
        this.#refused(batch.length, delivery.why);
        return;
      }
      this.#inTrouble(delivery.why);
      if (this.#closing) {
        // The next batch would meet the same.
        this.#drop(batch.length, 'stopped');
        this.#dropWaiting();
        return;
      }
      await this.#pause(delivery.after ?? this.#pauseAfter(tries));
    }
  }

  #pauseAfter(tries: number): number {
    const bound = Math.min(longestPause, firstPause * 2 ** (tries - 1));
    return bound * (0.5 + this.#world.random.next() / 2);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#world.clock.after(Math.min(ms, 10 * longestPause), resolve, true);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }

  #refused(count: number, why: string): void {
    this.#inTrouble(why);
    this.#drop(count, 'refused');
  }

  #dropWaiting(): void {
    this.#drop(this.#waiting.length, 'stopped');
    this.#waiting = [];
  }

  #drop(count: number, reason: 'queue-full' | 'refused' | 'stopped'): void {
    if (count === 0) return;
    this.#dropped(reason).add(count);
    this.#lostInTrouble += count;
    if (reason === 'stopped') this.#lostAtStop += count;
  }

  /** Each reason is said once, until it is well again. */
  #inTrouble(detail: string): void {
    if (this.#trouble.has(detail) || this.#trouble.size >= mostReasons) return;
    this.#trouble.add(detail);
    this.#world.log.warn('traces do not reach their receiver', { to: this.#world.to, detail });
  }

  #well(): void {
    if (this.#trouble.size > 0) {
      this.#world.log.info('traces reach their receiver again', { to: this.#world.to, dropped: this.#lostInTrouble });
    }
    this.#trouble.clear();
    this.#lostInTrouble = 0;
  }
}

/** Something of ours: the same spans would meet it again. */
const refusedHere = (thrown: unknown): Delivery => ({ taken: false, again: false, why: detailOf(thrown) });
