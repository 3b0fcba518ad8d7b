import { createHash } from 'node:crypto';
import { BoundedCache, failure, type Identity, type SourceContext, withToken } from '#sdk';
import { ask, objectIn } from '../ask.ts';
import { addressIn, discover } from '../discovery.ts';
import { KeySet } from './key-set.ts';
import type { JwtOptions } from './options.ts';
import { bearer, type Found, identityOf, type Reason, type Scheme } from './scheme.ts';

type Verify = typeof import('jose/jwt/verify')['jwtVerify'];
type Keys = ReturnType<typeof import('jose/jwks/local')['createLocalJWKSet']>;
type Key = Awaited<ReturnType<Keys>>;
type Options = NonNullable<Parameters<Verify>[2]>;

/** A set with more keys is none: each may be tried for a token that names none of them. */
const mostKeys = 100;

/** Tokens that were found to be good are known by their digest: checking a signature again costs as much as a request. */
const mostKnown = 10_000;
const mostBytes = 16 * 1024 ** 2;

interface Known {
  readonly identity: Identity;
  /** By these: when there are others, it is checked again. */
  readonly keys: Keys;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** Who signed the token, found out here; only the keys come from outside. */
export async function jwtScheme(options: JwtOptions, context: SourceContext): Promise<Scheme> {
  const [{ jwtVerify }, { createLocalJWKSet }] = await Promise.all([
    import('jose/jwt/verify'),
    import('jose/jwks/local'),
  ]);
  const { clock, log, name: flow, services } = context;
  const { issuer, timeout, clockTolerance } = options;
  const who = `The issuer of tokens for ${flow}`;
  const question = { timeout, ca: options.ca?.text, who };

  const load = async (): Promise<Keys> => {
    const found = options.jwks === undefined ? await discover(issuer ?? '', question, clock) : undefined;
    const url = found ? addressIn(found, 'jwks_uri', issuer ?? '', who) : (options.jwks ?? '');
    const { keys } = objectIn(await ask({ ...question, url }, clock), who);
    if (!Array.isArray(keys) || keys.length > mostKeys) {
      throw failure('invalid-response', { endpoint: who, detail: `its keys are no list of at most ${mostKeys}` });
    }
    return createLocalJWKSet({ keys });
  };
  const keySet = new KeySet<Keys>({ clock, log, flow, load });
  // Before the first caller needs them; what goes wrong is in the log.
  services.background(
    keySet.keys().catch(() => {}),
    `the keys of the issuer of ${flow}`,
  );

  const wanted: Omit<Options, 'currentDate'> = {
    algorithms: [...options.algorithms],
    clockTolerance: clockTolerance / 1000,
    requiredClaims: ['exp'],
    ...(issuer === undefined ? {} : { issuer }),
    ...(options.audience === undefined ? {} : { audience: [options.audience].flat() }),
  };
  const check = async (token: string, keys: Keys): Promise<Checked> =>
    verified(jwtVerify, token, keys, { ...wanted, currentDate: new Date(clock.now()) });

  const known = new BoundedCache<Known>(mostKnown, mostBytes);

  return {
    name: 'jwt',
    challenge: `Bearer realm="${context.integration.name}"`,
    async find(asking): Promise<Found | undefined> {
      const shown = bearer(asking);
      if (!shown || 'refused' in shown) return shown;
      const { token } = shown;
      let keys = await keySet.keys();
      const digest = createHash('sha256').update(token).digest('base64');
      const before = known.get(digest);
      if (before?.keys === keys && clock.now() < before.until) return { identity: withToken(before.identity, token) };
      let checked = await check(token, keys);
      if (checked === 'unknown-key') {
        const newer = await keySet.newer();
        if (newer) {
          keys = newer;
          checked = await check(token, newer);
        }
      }
      if (typeof checked === 'string') return { refused: checked };
      const identity = identityOf('jwt', checked);
      const until = Number(checked['exp']) * 1000 + clockTolerance;
      // In memory it takes about twice what it takes on the wire.
      known.set(digest, { identity, keys, until }, token.length * 2);
      return { identity: withToken(identity, token) };
    },
  };
}

type Checked = Reason | Readonly<Record<string, unknown>>;

async function verified(verify: Verify, token: string, keys: Keys, options: Options): Promise<Checked> {
  try {
    return (await verify(token, keys, options)).payload;
  } catch (thrown) {
    const several = thrown as { readonly code?: unknown; readonly [Symbol.asyncIterator]?: () => AsyncIterator<Key> };
    if (several.code !== 'ERR_JWKS_MULTIPLE_MATCHING_KEYS') return reasonOf(thrown);
    return tried(verify, token, thrown as AsyncIterable<Key>, options);
  }
}

/** The token does not say which of several keys it is. */
async function tried(verify: Verify, token: string, keys: AsyncIterable<Key>, options: Options): Promise<Checked> {
  for await (const key of keys) {
    try {
      return (await verify(token, key, options)).payload;
    } catch (thrown) {
      const reason = reasonOf(thrown);
      if (reason !== 'signature') return reason;
    }
  }
  return 'signature';
}

function reasonOf(thrown: unknown): Reason {
  const { code, claim } = thrown as { readonly code?: unknown; readonly claim?: unknown };
  switch (code) {
    case 'ERR_JWT_EXPIRED':
      return 'expired';
    case 'ERR_JOSE_ALG_NOT_ALLOWED':
    case 'ERR_JOSE_NOT_SUPPORTED':
      return 'algorithm';
    case 'ERR_JWKS_NO_MATCHING_KEY':
      return 'unknown-key';
    case 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED':
      return 'signature';
    case 'ERR_JWT_CLAIM_VALIDATION_FAILED':
      if (claim === 'iss') return 'issuer';
      if (claim === 'aud') return 'audience';
      return claim === 'nbf' ? 'not-yet-valid' : 'claims';
    case 'ERR_JWS_INVALID':
    case 'ERR_JWT_INVALID':
      return 'malformed';
    default:
      // A key that cannot be used, such as one that is too short.
      return 'signature';
  }
}
