import type { Identity } from '#sdk';
import { KnownSecrets } from './known-secrets.ts';
import type { BasicOptions } from './options.ts';
import { authorization, type Scheme } from './scheme.ts';

/** Name and password (RFC 7617), in UTF-8. */
export function basicScheme({ users }: BasicOptions, realm: string): Scheme {
  const known = new KnownSecrets(
    users.map(({ name, password, scopes = [] }): [string, Identity] => [
      `${name}:${password}`,
      { scheme: 'basic', subject: name, scopes, claims: {} },
    ]),
  );
  return {
    name: 'basic',
    challenge: `Basic realm="${realm}", charset="UTF-8"`,
    find(asking) {
      const credentials = authorization(asking, 'basic');
      if (credentials === undefined) return undefined;
      if (!/^[A-Za-z0-9+/]+=*$/.test(credentials)) return { refused: 'malformed' };
      const identity = known.find(Buffer.from(credentials, 'base64').toString('utf8'));
      return identity ? { identity } : { refused: 'unknown' };
    },
  };
}
