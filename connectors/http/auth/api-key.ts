import type { Identity } from '#sdk';
import { KnownSecrets } from './known-secrets.ts';
import type { ApiKeyOptions } from './options.ts';
import type { Asking, Scheme } from './scheme.ts';

export const usualHeader = 'x-api-key';

export function apiKeyScheme({ header = usualHeader, query, keys }: ApiKeyOptions, realm: string): Scheme {
  const name = header.toLowerCase();
  const known = new KnownSecrets(
    keys.map(({ id, key, scopes = [] }): [string, Identity] => [
      key,
      { scheme: 'apiKey', subject: id, scopes, claims: {} },
    ]),
  );
  const shown = ({ headers, query: given }: Asking): unknown => (query === undefined ? headers[name] : given[query]);
  return {
    name: 'apiKey',
    challenge: `ApiKey realm="${realm}"`,
    find(asking) {
      const key = shown(asking);
      if (key === undefined) return undefined;
      if (typeof key !== 'string') return { refused: 'malformed' };
      const identity = known.find(key);
      return identity ? { identity } : { refused: 'unknown' };
    },
  };
}
