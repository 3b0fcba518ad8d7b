import { type Failure, failure, type Log, type SourceContext } from '#sdk';
import type { Asking, Reason, Scheme } from './scheme.ts';

type Meter = SourceContext['services']['meter'];

/** Who was not let in, and why: counted, and told at level `debug`. The caller hears only what it needs. */
export class Refusals {
  readonly #flow: string;
  readonly #meter: Meter;
  readonly #log: Log;
  readonly #counted = new Map<Reason, ReturnType<Meter['counter']>>();

  constructor(flow: string, meter: Meter, log: Log) {
    this.#flow = flow;
    this.#meter = meter;
    this.#log = log;
  }

  count(reason: Reason, asking: Asking, scheme?: string): void {
    let counter = this.#counted.get(reason);
    if (!counter) {
      const labels = { flow: this.#flow, reason };
      counter = this.#meter.counter('dowel_http_refused_total', 'Requests that were not let in, by reason.', labels);
      this.#counted.set(reason, counter);
    }
    counter.add();
    if (!this.#log.debugging) return;
    const { remoteAddress } = asking.request.socket;
    this.#log.debug('a caller was refused', { flow: this.#flow, reason, scheme, remoteAddress });
  }
}

/** A scheme that knew nobody, and why. */
export interface Refused {
  readonly scheme: Scheme;
  readonly reason: Reason;
}

/** Nobody is known: every scheme says how it wants to be asked, those that were tried what was wrong (RFC 6750 §3). */
export function unauthenticated(schemes: readonly Scheme[], refused: readonly Refused[]): Failure {
  const challenges = schemes.map((scheme) => {
    const tried = refused.find((one) => one.scheme === scheme);
    if (!tried || !scheme.challenge.startsWith('Bearer ')) return scheme.challenge;
    // Its signature was right: that it is over tells nobody anything but its owner.
    const why = tried.reason === 'expired' ? ', error_description="The token has expired"' : '';
    return `${scheme.challenge}, error="invalid_token"${why}`;
  });
  // For our log alone.
  const reason: Reason = refused[0]?.reason ?? 'missing';
  return failure('unauthenticated', { challenges: distinct(challenges), guessed: refused.length > 0, reason });
}

export function insufficientScope(scheme: Scheme, scopes: readonly string[]): Failure {
  if (!scheme.challenge.startsWith('Bearer ')) return failure('insufficient-scope');
  const challenge = `${scheme.challenge}, error="insufficient_scope", scope="${scopes.join(' ')}"`;
  return failure('insufficient-scope', { challenges: [challenge] });
}

/** Two schemes may ask for the same: that of them which says more is the one. */
const distinct = (challenges: readonly string[]): readonly string[] =>
  challenges.filter(
    (one, index) =>
      !challenges.some(
        (other, at) => at !== index && other.startsWith(one) && (other.length > one.length || at < index),
      ),
  );
