import type { ExpressionSource, ServerSource, Slot } from '#sdk';
import type { AuthOptions } from './auth/options.ts';
import type { EndpointOptions, SourceOptions } from './definition.ts';
import { fieldName } from './fields.ts';

type Report = (at: string, message: string, suggestion?: string) => void;

export const provides = (options: unknown): readonly ('params' | 'query' | 'identity')[] =>
  (options as Partial<SourceOptions>).auth ? ['params', 'query', 'identity'] : ['params', 'query'];

/** What an expression sees before anybody has looked at the body. */
const before = ['headers', 'params', 'query', 'source', 'config'] as const;

export function asks(
  options: unknown,
): readonly { readonly expression: ExpressionSource; readonly names: readonly string[] }[] {
  const { auth, rateLimit } = options as Partial<SourceOptions>;
  const conditions = Object.values(auth ?? {}).flatMap((one) => one?.when ?? []);
  const known = ['identity', ...before];
  return [
    ...conditions.map((expression) => ({ expression, names: known })),
    ...(rateLimit?.key ? [{ expression: rateLimit.key, names: auth ? known : before }] : []),
  ];
}

/** A token that its caller showed, in messages that no store had in between; an endpoint that passes one on. */
export function tokens(options: unknown, slot: Slot): boolean {
  if (slot === 'endpoint') {
    const { auth } = options as Partial<EndpointOptions>;
    return auth?.forward !== undefined || auth?.tokenExchange !== undefined;
  }
  const { auth, reply } = options as Partial<SourceOptions>;
  return (auth?.jwt !== undefined || auth?.introspection !== undefined) && reply !== 'accepted';
}

export function checkServer(
  options: unknown,
  server: ServerSource,
  report: (at: string, message: string) => void,
): void {
  const { auth } = options as Partial<SourceOptions>;
  if (!auth?.mtls || server.tls?.ca) return;
  const missing = server.tls ? 'its `ca`' : 'TLS with a `ca`';
  report(
    'auth/mtls',
    `clients show certificates only to a server that asks for them, and \`server\` does not name ${missing}: write \`server: { tls: { cert: …, key: …, ca: ./clients.crt } }\``,
  );
}

export function checkAuth(auth: AuthOptions, report: Report): void {
  if (auth.jwt) checkJwt(auth.jwt, report);
  if (auth.introspection) checkAddress('auth/introspection/url', auth.introspection.url, report);
  if (auth.apiKey) checkApiKey(auth.apiKey, report);
  if (auth.basic) checkBasic(auth.basic, report);
}

function checkJwt(jwt: NonNullable<AuthOptions['jwt']>, report: Report): void {
  const { issuer, jwks, audience, anyIssuer, anyAudience } = jwt;
  if (issuer === undefined && jwks === undefined) {
    report(
      'auth/jwt',
      '`issuer` is missing: who must have made the tokens, such as `issuer: https://login.example.com/realms/shop`',
    );
  } else if (issuer === undefined && !anyIssuer) {
    report(
      'auth/jwt',
      '`issuer` is missing: who must have made the tokens. Write `anyIssuer: true` where the keys alone decide',
    );
  } else if (issuer !== undefined && anyIssuer) {
    report('auth/jwt/anyIssuer', '`anyIssuer` and `issuer` contradict each other: keep one of them');
  }
  if (audience === undefined && !anyAudience) {
    report(
      'auth/jwt',
      '`audience` is missing: without it a token that was made for another service opens this one. Write the name that the issuer gives this service, such as `audience: orders-api`',
    );
  } else if (audience !== undefined && anyAudience) {
    report('auth/jwt/anyAudience', '`anyAudience` and `audience` contradict each other: keep one of them');
  }
  if (issuer !== undefined && jwks === undefined) checkAddress('auth/jwt/issuer', issuer, report);
  if (jwks !== undefined) checkAddress('auth/jwt/jwks', jwks, report);
}

function checkApiKey({ header, query, keys }: NonNullable<AuthOptions['apiKey']>, report: Report): void {
  if (header !== undefined && query !== undefined) {
    report('auth/apiKey/query', 'a key stands in a header or in the query: drop `header` or `query`');
  }
  if (header !== undefined && !fieldName.test(header)) {
    report('auth/apiKey/header', `\`${header}\` is not a header name`);
  } else if (header?.toLowerCase() === 'authorization') {
    report('auth/apiKey/header', '`authorization` is for `jwt`, `introspection` and `basic`: write another header');
  }
  for (const [index, { key }] of keys.entries()) {
    const before = keys.findIndex((one) => one.key === key);
    if (before === index) continue;
    const message = `this is the key of entry ${before + 1} as well: nobody could tell whose it is`;
    report(`auth/apiKey/keys/${index}/key`, message);
  }
}

function checkBasic({ users }: NonNullable<AuthOptions['basic']>, report: Report): void {
  for (const [index, { name }] of users.entries()) {
    if (name.includes(':')) {
      report(`auth/basic/users/${index}/name`, 'a name of basic authentication must not hold a colon (RFC 7617)');
    }
  }
}

/** Where an endpoint gets its tokens. */
export function checkTokenServer(
  at: string,
  { tokenUrl, issuer }: { readonly tokenUrl?: string | undefined; readonly issuer?: string | undefined },
  report: Report,
): void {
  if (tokenUrl === undefined && issuer === undefined) {
    report(at, '`tokenUrl` is missing: where tokens are given out; or `issuer`, who says where');
  } else if (tokenUrl !== undefined && issuer !== undefined) {
    report(`${at}/issuer`, '`tokenUrl` says already where tokens are given out: drop `issuer`');
  }
  if (tokenUrl !== undefined) checkAddress(`${at}/tokenUrl`, tokenUrl, report);
  if (issuer !== undefined) checkAddress(`${at}/issuer`, issuer, report);
}

/** Keys and tokens over a line that anybody may write on are nobody's. */
function checkAddress(at: string, url: string, report: Report): void {
  if (!URL.canParse(url)) return;
  const { protocol, hostname, username, password } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') {
    report(at, `\`${protocol}\` is not a protocol of such a server: write \`https:\``);
  } else if (protocol === 'http:' && !isLoopback(hostname)) {
    report(
      at,
      'over `http:` anybody on the way can put keys of their own in their place, or read along: write `https:`',
      url.replace(/^http:/i, 'https:'),
    );
  }
  if (username || password) {
    const instead = /\/(tokenUrl|url)$/.test(at) ? ': write `clientId` and `clientSecret` beside it' : '';
    report(at, `a URL must not hold credentials${instead}`);
  }
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '[::1]' || /^127\./.test(host);
