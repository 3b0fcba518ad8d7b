/** Whether those who are asked, or who call, do what the document says of it: `security` and `securitySchemes`. */
import type { ContractOperation, Doubt, WrittenCall } from '#sdk';
import type { EndpointOptions, SourceOptions } from '../definition.ts';
import { keysOf } from './named.ts';
import { inWords, type Requirement, requirements, type Scheme } from './security-schemes.ts';

const code = 'contract-security';

export function sourceDoubts(options: Partial<SourceOptions>): readonly Doubt[] {
  const { contract: kept, auth = {} } = options;
  const operation = kept?.openapi.contract.operation(kept.operation);
  if (!kept || !operation) return [];
  const asked = Object.values(auth).some((way) => way !== undefined);
  const { security } = operation.told;
  const demanded = requirements(operation, kept.openapi.contract);
  if (demanded.length === 0) {
    if (!asked || !Array.isArray(security) || security.length > 0) return [];
    const message = `The document says that anybody may call \`${operation.id}\` (\`security: []\`), and \`auth\` asks who it is: write there what callers have to show, or drop \`auth\``;
    return [{ code, at: 'auth', message }];
  }
  const ways = inWords(demanded);
  if (!asked) {
    const message = `The document asks callers of \`${operation.id}\` for ${ways}, and this source asks nobody: write \`auth: ${incoming(demanded)}\` beside \`contract\``;
    return [{ code, at: 'contract/operation', message }];
  }
  // An expression may look at anything besides.
  const looks = (all: Requirement): boolean => all.some((one) => wayOf(one, auth)?.when !== undefined);
  const possible = demanded.filter((all) => looks(all) || all.every((one) => isAsked(one, auth)));
  if (possible.length === 0) {
    const message = `The document asks callers of \`${operation.id}\` for ${ways}, which \`auth\` does not know: write \`auth: ${incoming(demanded)}\``;
    return [{ code, at: 'auth', message }];
  }
  if (possible.some((all) => all.length === 1 || looks(all))) {
    return missingScopes(operation, possible, auth);
  }
  const message = `The document asks callers of \`${operation.id}\` for ${ways} together, and each entry of \`auth\` is enough by itself: keep one, and look at the other in its \`when\``;
  return [{ code, at: 'auth', message }];
}

function missingScopes(
  { id }: ContractOperation,
  possible: readonly Requirement[],
  auth: NonNullable<SourceOptions['auth']>,
): readonly Doubt[] {
  const missing = possible.map((all) =>
    all.flatMap((one) => {
      const { when, scopes = [] } = wayOf(one, auth) ?? {};
      return when === undefined ? one.scopes.filter((scope) => !scopes.includes(scope)) : [];
    }),
  );
  const [first = []] = missing;
  if (missing.some((one) => one.length === 0)) return [];
  const scopes = first.map((scope) => `\`${scope}\``).join(', ');
  const way = possible[0]?.map((one) => wayName(one, auth)).find((name) => name !== undefined) ?? 'jwt';
  const message = `The document lets only callers with the scope ${scopes} call \`${id}\`, and \`auth\` lets others in: write \`scopes: [${first.join(', ')}]\` there`;
  return [{ code, at: `auth/${way}`, message }];
}

/** What calls of the operations would lack: told once for each endpoint, of the first. */
export function endpointDoubts(options: Partial<EndpointOptions>, calls: readonly WrittenCall[]): readonly Doubt[] {
  const { contract: kept, auth = {} } = options;
  if (!kept) return [];
  for (const call of calls) {
    const { operation: id } = call.options;
    const operation = typeof id === 'string' ? kept.openapi.contract.operation(id) : undefined;
    const demanded = operation ? requirements(operation, kept.openapi.contract) : [];
    if (!operation || demanded.length === 0) continue;
    if (demanded.some((all) => all.every((one) => isShown(one, options, call)))) continue;
    const shows = Object.values(auth).some((way) => way !== undefined);
    const what = shows ? 'which `auth` does not show' : 'and neither the endpoint nor the call shows any';
    const message = `The document asks callers of \`${operation.id}\` for ${inWords(demanded)}, ${what}: write ${outgoing(demanded)}`;
    return [{ code, at: shows ? 'auth' : 'contract/openapi', message }];
  }
  return [];
}

type Auth = NonNullable<SourceOptions['auth']>;

/** The entry of `auth` by which callers show it. */
function wayName(scheme: Scheme, auth: Auth): keyof Auth | undefined {
  const { kind, place } = scheme;
  const { jwt, introspection, apiKey, basic, mtls } = auth;
  // Some documents describe a token as a key in the header that it stands in.
  if (kind === 'token' || place === 'header authorization') {
    return jwt ? 'jwt' : introspection ? 'introspection' : undefined;
  }
  if (kind === 'basic') return basic && 'basic';
  if (kind === 'certificate') return mtls && 'mtls';
  if (kind !== 'key' || !apiKey) return undefined;
  const { header = 'x-api-key', query } = apiKey;
  return place === (query === undefined ? `header ${header.toLowerCase()}` : `query ${query}`) ? 'apiKey' : undefined;
}

function wayOf(
  scheme: Scheme,
  auth: Auth,
): { readonly when?: unknown; readonly scopes?: readonly string[] | undefined } | undefined {
  const name = wayName(scheme, auth);
  return name && auth[name];
}

/** What nothing is known of may be asked for by whatever stands there. */
const isAsked = (scheme: Scheme, auth: Auth): boolean => scheme.kind === 'other' || wayOf(scheme, auth) !== undefined;

function isShown({ kind, place }: Scheme, options: Partial<EndpointOptions>, call: WrittenCall): boolean {
  const { auth, tls } = options;
  if (kind === 'certificate') return tls?.cert !== undefined;
  const given = new Set(
    ['headers', 'query'].flatMap((key) => keysOf(call.options[key])?.map((name) => placed(key, name)) ?? ['?']),
  );
  // What comes out of an expression is known when a message comes.
  if (given.has('?') || !call.headers) return true;
  for (const name of [...Object.keys(options.headers ?? {}), ...call.headers]) given.add(placed('headers', name));
  for (const name of Object.keys(options.query ?? {})) given.add(placed('query', name));
  for (const name of keysOf(call.options['params']) ?? [])
    given.add(placed('query', name)).add(placed('headers', name));
  if (auth?.header) given.add(placed('headers', auth.header.name));
  const written = given.has('header authorization') || auth?.aws !== undefined;
  const token = [auth?.bearer, auth?.oauth2, auth?.tokenExchange, auth?.forward].some((one) => one !== undefined);
  if (kind === 'key') {
    if (place === 'header authorization') return written || token || auth?.basic !== undefined;
    return place.startsWith('cookie ') ? given.has('header cookie') : given.has(place);
  }
  if (kind === 'token') return token || written;
  if (kind === 'basic') return auth?.basic !== undefined || written;
  return token || written || auth?.basic !== undefined;
}

const placed = (where: string, name: string): string =>
  where === 'query' ? `query ${name}` : `header ${name.toLowerCase()}`;

/** What to write at a source, for the first alternative that can be asked for. */
function incoming(demanded: readonly Requirement[]): string {
  for (const { kind, place, scopes } of demanded.flat()) {
    const also = scopes.length > 0 ? `, scopes: [${scopes.join(', ')}]` : '';
    if (kind === 'token') return `{ jwt: { issuer: …, audience: …${also} } }`;
    if (kind === 'basic') return '{ basic: { users: [ … ] } }';
    if (kind === 'certificate') return '{ mtls: {} }';
    const [where = '', name = ''] = place.split(' ');
    if (kind === 'key' && where !== 'cookie') return `{ apiKey: { ${where}: ${name}, keys: [ … ] } }`;
  }
  return '{ … }';
}

/** What to write at an endpoint. */
function outgoing(demanded: readonly Requirement[]): string {
  for (const { kind, place, scopes, tokenUrl } of demanded.flat()) {
    const also = scopes.length > 0 ? `, scopes: [${scopes.join(', ')}]` : '';
    if (kind === 'token' && tokenUrl !== undefined) {
      return `\`auth: { oauth2: { tokenUrl: "${tokenUrl}", clientId: …, clientSecret: …${also} } }\` beside \`url\``;
    }
    if (kind === 'token') return '`auth: { bearer: { token: … } }` or `auth: { oauth2: … }` beside `url`';
    if (kind === 'basic') return '`auth: { basic: { username: …, password: … } }` beside `url`';
    if (kind === 'certificate') return '`tls: { cert: …, key: … }` beside `url`';
    const [where = '', name = ''] = place.split(' ');
    if (where === 'header') return `\`auth: { header: { name: ${name}, value: … } }\` beside \`url\``;
    if (where === 'query') return `\`query: { ${name}: … }\` beside \`url\``;
  }
  return '`auth: …` or `headers: …` beside `url`';
}
