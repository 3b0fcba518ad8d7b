import type { Clock } from './clock.ts';
import type { Log } from './exchange.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A line of the log that would be written again and again, by what happens to each of many messages. */
export interface RefrainLine {
  readonly level: 'warn' | 'error';
  readonly message: string;
  /** Written, at `info`, when what was wrong seems to be right again. Absent: it is never over, it only stops. */
  readonly over?: string;
}

/** After the first line of a reason one more says so often how many there were since. */
const everyMs = 60_000;
/** It is over when it has gone well and not happened again for so long: else each message that is done in between would say so. */
const quietMs = 10_000;
/** Reasons may come out of what a message carries. */
const mostReasons = 50;

interface Episode {
  readonly reason: string;
  readonly fields: Fields;
  readonly since: number;
  total: number;
  /** Since the last line. */
  count: number;
  lastAt: number;
  latest: Fields;
  next: () => void;
  check: (() => void) | undefined;
}

/**
 * Says what happens to many messages without a line for each: the first of each reason in full, then from time to time how
 * many more there were, and once that it is over. Every single one is there at `debug`.
 */
export class Refrain {
  readonly #line: RefrainLine;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #episodes = new Map<string, Episode>();

  constructor(line: RefrainLine, { clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#line = line;
    this.#clock = clock;
    this.#log = log;
  }

  /** `subject`: of whom; goes into every line. `fields`: what this one was. */
  again(cause: string, subject: Fields, fields: Fields): void {
    const reason = this.#episodes.has(cause) || this.#episodes.size < mostReasons ? cause : '';
    const episode = this.#episodes.get(reason);
    const now = this.#clock.monotonic();
    const { level, message } = this.#line;
    if (!episode) {
      this.#begin(reason, subject, fields, now);
      this.#log[level](message, { ...subject, ...fields });
      return;
    }
    episode.total++;
    episode.count++;
    episode.lastAt = now;
    episode.latest = fields;
    if (this.#log.debugging) this.#log.debug(message, { ...subject, ...fields });
  }

  /** A message got through: called for each, so nothing is done where nothing is wrong. */
  well(): void {
    if (this.#episodes.size === 0 || this.#line.over === undefined) return;
    for (const episode of this.#episodes.values()) {
      episode.check ??= this.#clock.after(quietMs, () => this.#check(episode), true);
    }
  }

  /** Says nothing any more, but what is not said yet. */
  close(): void {
    for (const episode of this.#episodes.values()) {
      this.#sum(episode);
      this.#forget(episode);
    }
  }

  #begin(reason: string, fields: Fields, latest: Fields, now: number): void {
    const episode: Episode = {
      reason,
      fields,
      latest,
      since: now,
      lastAt: now,
      total: 1,
      count: 0,
      next: () => {},
      check: undefined,
    };
    this.#episodes.set(reason, episode);
    this.#later(episode);
  }

  #later(episode: Episode): void {
    episode.next = this.#clock.after(
      everyMs,
      () => {
        if (episode.count === 0) {
          this.#forget(episode);
          return;
        }
        this.#sum(episode);
        this.#later(episode);
      },
      true,
    );
  }

  #sum(episode: Episode): void {
    const { fields, latest, count } = episode;
    if (count === 0) return;
    episode.count = 0;
    this.#log[this.#line.level](this.#line.message, { ...fields, ...latest, count });
  }

  #check(episode: Episode): void {
    episode.check = undefined;
    const { fields, since, lastAt, total } = episode;
    if (this.#clock.monotonic() - lastAt < quietMs) return;
    this.#forget(episode);
    const { over } = this.#line;
    if (over !== undefined) this.#log.info(over, { ...fields, count: total, ms: Math.round(lastAt - since) });
  }

  #forget(episode: Episode): void {
    episode.next();
    episode.check?.();
    this.#episodes.delete(episode.reason);
  }
}
