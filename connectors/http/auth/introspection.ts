import { createHash } from 'node:crypto';
import { BoundedCache, type Failure, failure, type SourceContext, toFailure, withToken } from '#sdk';
import { ask, objectIn } from '../ask.ts';
import { clientCredentials } from '../client-credentials.ts';
import type { IntrospectionOptions } from './options.ts';
import { bearer, type Found, identityOf, type Scheme } from './scheme.ts';

interface Known {
  readonly found: Found;
  /** Monotonic milliseconds. */
  readonly until: number;
}

const mostKnown = 10_000;
const mostBytes = 16 * 1024 ** 2;
/** Questions that are under way at once; more callers are sent away. */
const mostAsked = 200;
/** Of one that is too large an answer is not remembered. */
const aboutBytes = (claims: object): number => JSON.stringify(claims).length * 2;

/** The server that made the token is asked what it is worth (RFC 7662). Tokens are remembered by their digest alone. */
export function introspectionScheme(options: IntrospectionOptions, context: SourceContext): Scheme {
  const { clock, log, name: flow } = context;
  const { url, timeout, cache } = options;
  const who = `The introspection server of ${flow}`;
  const known = new BoundedCache<Known>(mostKnown, mostBytes);
  const asked = new Map<string, Promise<Found>>();
  let failed = false;

  const trouble = (thrown: unknown): Failure => {
    const detail = toFailure(thrown).message;
    if (!failed) log.warn('tokens cannot be checked: their server does not answer as it should', { flow, detail });
    failed = true;
    return failure('auth-unavailable', { detail, retryAfter: 1_000 });
  };

  const answer = async (token: string): Promise<Readonly<Record<string, unknown>>> => {
    const form = new URLSearchParams({ token, token_type_hint: 'access_token' });
    const headers = clientCredentials(options, form);
    try {
      const claims = objectIn(await ask({ url, form, headers, timeout, ca: options.ca?.text, who }, clock), who);
      if (failed) log.info('tokens can be checked again', { flow });
      failed = false;
      return claims;
    } catch (thrown) {
      throw trouble(thrown);
    }
  };

  const judged = (claims: Readonly<Record<string, unknown>>): Found => {
    if (claims['active'] !== true) return { refused: 'inactive' };
    // Its server says that it is good; that clocks differ is no reason to take one that is over.
    if (isPast(claims['exp'], clock.now())) return { refused: 'expired' };
    if (!isFor(options.audience, claims['aud'])) return { refused: 'audience' };
    const { active: _, ...rest } = claims;
    return { identity: identityOf('introspection', rest) };
  };

  const look = async (token: string, digest: string): Promise<Found> => {
    const claims = await answer(token);
    const found = judged(claims);
    const { exp } = claims;
    const left = typeof exp === 'number' ? exp * 1000 - clock.now() : Number.POSITIVE_INFINITY;
    const ms = Math.min(cache, left);
    if (ms > 0) known.set(digest, { found, until: clock.monotonic() + ms }, aboutBytes(claims));
    return found;
  };

  return {
    name: 'introspection',
    challenge: `Bearer realm="${context.integration.name}"`,
    async find(asking) {
      const shown = bearer(asking);
      if (!shown || 'refused' in shown) return shown;
      const digest = createHash('sha256').update(shown.token).digest('base64');
      const before = known.get(digest);
      let found = before && before.until > clock.monotonic() ? before.found : undefined;
      if (!found) {
        const underWay = asked.get(digest);
        if (!underWay && asked.size >= mostAsked) {
          throw failure('auth-unavailable', { detail: 'too many tokens are being checked', retryAfter: 1_000 });
        }
        const looking = underWay ?? look(shown.token, digest).finally(() => asked.delete(digest));
        if (!underWay) asked.set(digest, looking);
        found = await looking;
      }
      return 'identity' in found ? { identity: withToken(found.identity, shown.token) } : found;
    },
  };
}

const isPast = (exp: unknown, now: number): boolean => typeof exp === 'number' && exp * 1000 <= now;

function isFor(wanted: string | readonly string[] | undefined, aud: unknown): boolean {
  if (wanted === undefined) return true;
  const all = [aud].flat();
  return [wanted].flat().some((one) => all.includes(one));
}
