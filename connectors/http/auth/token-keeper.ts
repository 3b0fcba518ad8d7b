import { type Clock, type Failure, failure, type Random, toFailure } from '#sdk';
import type { Token } from './token-request.ts';

/** After a failure the server is left alone for so long: it hears of one message, not of all. */
const pauseMs = { transient: 250, permanent: 1_000 };
/** A token is renewed when this part of its life is over, a little sooner or later: not all processes at once. */
const renewFrom = 0.75;
const renewSpread = 0.15;
/** So long before its end, or so much of its life, a token is used no more: it has to arrive. */
const marginMs = 10_000;
const marginPart = 0.1;

interface Held {
  readonly value: string;
  /** Monotonic milliseconds. */
  readonly renewAt: number;
  readonly until: number;
}

/** One token, fetched when it is first needed and renewed while it still serves. */
export class TokenKeeper {
  readonly #fetch: () => Promise<Token>;
  readonly #clock: Clock;
  readonly #random: Random;
  #held: Held | undefined;
  #fetching: Promise<string> | undefined;
  #failed: { readonly error: Failure; readonly until: number } | undefined;

  constructor(fetch: () => Promise<Token>, clock: Clock, random: Random) {
    this.#fetch = fetch;
    this.#clock = clock;
    this.#random = random;
  }

  /** The token; a promise only where it has to be waited for. */
  token(): string | Promise<string> {
    const held = this.#held;
    const now = this.#clock.monotonic();
    if (!held || now >= held.until) return this.#renew();
    // Beside the message: what goes wrong is tried again with a later one.
    if (now >= held.renewAt) this.#renew().catch(() => {});
    return held.value;
  }

  /** The service does not take it (any more). */
  spoilt(value: string): void {
    if (this.#held?.value === value) this.#held = undefined;
  }

  #renew(): Promise<string> {
    const { until = 0, error } = this.#failed ?? {};
    if (error && this.#clock.monotonic() < until) return Promise.reject(again(error));
    this.#fetching ??= this.#fetched().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching.catch((thrown: unknown) => {
      throw again(toFailure(thrown));
    });
  }

  async #fetched(): Promise<string> {
    try {
      const { value, ms } = await this.#fetch();
      const now = this.#clock.monotonic();
      this.#held = {
        value,
        renewAt: now + ms * (renewFrom + renewSpread * this.#random.next()),
        until: now + ms - Math.min(marginMs, ms * marginPart),
      };
      this.#failed = undefined;
      return value;
    } catch (thrown) {
      const error = toFailure(thrown);
      const pause = error.kind === 'transient' ? pauseMs.transient : pauseMs.permanent;
      this.#failed = { error, until: this.#clock.monotonic() + pause };
      throw thrown;
    }
  }
}

/** The same for another message: each writes into its error what became of it. */
function again(error: Failure): Failure {
  const { code, facts, cause } = error;
  if (code !== 'token-refused' && code !== 'token-unavailable') return error;
  return failure(code, facts, { cause });
}
