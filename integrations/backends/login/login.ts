/** What a login server does with keys; all else stands in the integration. Each start has a key of its own. */
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const kid = randomUUID();

/** The public key, for those who check tokens (RFC 7517). */
export const keys = (): object => ({
  keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }],
});

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A signed token (RFC 9068). */
export function token(claims: object): string {
  const now = Math.floor(Date.now() / 1000);
  const head = encoded({ alg: 'ES256', typ: 'at+jwt', kid });
  const text = `${head}.${encoded({ ...claims, iat: now, exp: now + 300, jti: randomUUID() })}`;
  const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}
