import { type Clock, Failure, failure } from '#sdk';
import { ask, type Reply } from '../ask.ts';
import { clientCredentials } from '../client-credentials.ts';
import { addressIn, discover } from '../discovery.ts';
import { badInValue } from '../fields.ts';
import type { OAuth2Options } from './outgoing-options.ts';

export interface Token {
  readonly value: string;
  /** How long it lives: 0 serves the one message for which it was fetched. */
  readonly ms: number;
}

/** Where the server does not say how long a token lives. */
const usualLifeMs = 300_000;

/**
 * Asks a server for a token. A POST with a form and a JSON answer: a client library for all of OAuth would be larger than
 * what it saves.
 */
export function tokenRequest(options: OAuth2Options, endpoint: string, clock: Clock) {
  const { timeout, tokenUrl, issuer, scopes, audience } = options;
  const question = { timeout, ca: options.ca?.text, who: `The token server of ${endpoint}` };
  let address = tokenUrl;

  const ofIssuer = async (named: string): Promise<string> => {
    address = addressIn(await discover(named, question, clock), 'token_endpoint', named, question.who);
    return address;
  };

  return async (grant: Readonly<Record<string, string>>): Promise<Token> => {
    try {
      const url = address ?? (await ofIssuer(issuer ?? ''));
      const form = new URLSearchParams(grant);
      if (scopes) form.set('scope', scopes.join(' '));
      if (audience !== undefined) form.set('audience', audience);
      const headers = clientCredentials(options, form);
      return tokenIn(await ask({ ...question, url, form, headers }, clock), endpoint);
    } catch (thrown) {
      if (thrown instanceof Failure && thrown.code !== 'token-refused') {
        throw failure('token-unavailable', { endpoint, detail: thrown.message, sent: false }, { cause: thrown });
      }
      throw thrown;
    }
  };
}

/** Some servers write the number as a text. */
function lifeIn(seconds: unknown): number {
  const said = typeof seconds === 'number' || (typeof seconds === 'string' && seconds.trim() !== '');
  const ms = said ? Number(seconds) * 1000 : Number.NaN;
  return Number.isFinite(ms) ? Math.max(0, ms) : usualLifeMs;
}

function tokenIn({ status, json }: Reply, endpoint: string): Token {
  const answer = (typeof json === 'object' && json !== null ? json : {}) as Readonly<Record<string, unknown>>;
  const refused = (detail: string): Failure => failure('token-refused', { endpoint, detail, sent: false });
  if (status === 200) {
    const { access_token: value, token_type: type, expires_in: seconds } = answer;
    if (typeof value !== 'string' || value === '' || badInValue.test(value)) throw refused('its answer holds no token');
    if (String(type).toLowerCase() !== 'bearer') throw refused('the `token_type` of its answer is not Bearer');
    return { value, ms: lifeIn(seconds) };
  }
  const { error } = answer;
  // A code of RFC 6749; whatever else stands in the answer may be anything.
  const code = typeof error === 'string' && /^[a-z_]{1,64}$/.test(error) ? error : undefined;
  const detail = code === undefined ? `it answered ${status}` : `${code} (${status})`;
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) throw refused(detail);
  throw failure('token-unavailable', { endpoint, detail, sent: false });
}
