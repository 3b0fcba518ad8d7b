import { type Clock, failure } from '#sdk';
import { ask, objectIn, type Question } from './ask.ts';

/**
 * What an issuer says about itself: OpenID Connect Discovery 1.0, else the metadata of an OAuth 2.0 server (RFC 8414).
 * It must call itself by the name that it was asked by (§4.3): else another one answers in its place.
 */
export async function discover(
  issuer: string,
  question: Pick<Question, 'timeout' | 'ca' | 'who'>,
  clock: Clock,
): Promise<Readonly<Record<string, unknown>>> {
  const { who } = question;
  const base = issuer.replace(/\/$/, '');
  let reply = await ask({ ...question, url: `${base}/.well-known/openid-configuration` }, clock);
  if (reply.status === 404) {
    const { origin, pathname } = new URL(base);
    const path = pathname === '/' ? '' : pathname;
    reply = await ask({ ...question, url: `${origin}/.well-known/oauth-authorization-server${path}` }, clock);
  }
  const found = objectIn(reply, who);
  if (found['issuer'] !== issuer) {
    const detail = `it calls itself ${JSON.stringify(found['issuer'])}, and the file calls it ${JSON.stringify(issuer)}`;
    throw failure('invalid-response', { endpoint: who, detail });
  }
  return found;
}

/** One of the addresses that it says; never one without TLS where it was itself asked with. */
export function addressIn(
  found: Readonly<Record<string, unknown>>,
  key: 'jwks_uri' | 'token_endpoint',
  issuer: string,
  who: string,
): string {
  const url = found[key];
  const protocol = typeof url === 'string' && URL.canParse(url) ? new URL(url).protocol : undefined;
  const safe = protocol === 'https:' || (protocol === 'http:' && issuer.startsWith('http:'));
  if (typeof url === 'string' && safe) return url;
  throw failure('invalid-response', { endpoint: who, detail: `it does not say its ${key}, or not as an https URL` });
}
