import type { Slot } from '#sdk';
import { checkAuth, checkTokenServer } from './check-auth.ts';
import { checkTargets, type WrittenUrl } from './check-targets.ts';
import type { CallOptions, CorsOptions, EndpointOptions, SourceOptions } from './definition.ts';
import { badInValue, fieldName, hopByHop } from './fields.ts';
import { parsePath } from './path.ts';

type Report = (at: string, message: string, suggestion?: string) => void;

/** What only this connector can find wrong in its options, while validating. Options with other mistakes may be partial. */
export function check(options: unknown, report: Report, slot: Slot): void {
  if (slot === 'endpoint') checkEndpoint(options as Partial<EndpointOptions>, report);
  else if (slot === 'source') checkSource(options as Partial<SourceOptions>, report);
  else checkCall(options as Partial<CallOptions>, report);
}

function checkSource(options: Partial<SourceOptions>, report: Report): void {
  const path = options.path ?? '/';
  const parsed = parsePath(path);
  const meant = inBraces(path);
  if (meant !== path) report('path', `a path takes its parameters in braces: write \`${meant}\``, meant);
  else if ('problem' in parsed) report('path', parsed.problem);
  if (options.cors) checkCors(options.cors, report);
  if (options.auth) checkAuth(options.auth, report);
  checkReply(options, report);
}

/** The largest value of a store, less what is kept beside a body. */
const mostKept = 15 * 1024 ** 2;

function checkReply({ reply, capacity, maxBody }: Partial<SourceOptions>, report: Report): void {
  if (reply !== 'accepted') {
    if (capacity !== undefined) report('capacity', '`capacity` bounds what waits in the store: add `reply: accepted`');
  } else if (maxBody !== undefined && maxBody > mostKept) {
    report('maxBody', 'with `reply: accepted` a message is kept in the store, which takes bodies up to `15mb`', '15mb');
  }
}

/** What other servers write `/orders/:id`, `/orders/<id>` or `/files/*`. */
const inBraces = (path: string): string =>
  path
    .replaceAll(
      /(?<=\/)(?::([A-Za-z_]\w*)|<(?:\w+:)?([A-Za-z_]\w*)>)(?=\/|$)/g,
      (_, colon, angle) => `{${colon ?? angle}}`,
    )
    .replace(/(?<=\/)\*{1,2}$/, '{rest+}');

/** What `$params` has. */
export function params(options: unknown): readonly string[] | undefined {
  const { path } = options as Partial<SourceOptions>;
  if (typeof path !== 'string' || inBraces(path) !== path) return undefined;
  const parsed = parsePath(path);
  return 'problem' in parsed ? undefined : parsed.names;
}

function checkCall({ method, path }: Partial<CallOptions>, report: Report): void {
  const verb = writtenIn(method);
  if (verb !== undefined && verb !== verb.toUpperCase() && !verb.includes('${{')) {
    report('method', `\`${verb}\` is no method: methods are upper-case`, verb.toUpperCase());
  }
  const target = writtenIn(path);
  const origin = target === undefined ? undefined : /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(target)?.[0];
  if (target === undefined || origin === undefined) return;
  report(
    'path',
    `the endpoint says where the service is, and a call only its path: \`${origin}\` belongs into the \`url\` of an endpoint`,
    target.slice(origin.length) || '/',
  );
}

/** The text of a template. */
const writtenIn = (option: { readonly value: unknown } | undefined): string | undefined =>
  typeof option?.value === 'string' ? option.value : undefined;

function checkCors(cors: CorsOptions, report: Report): void {
  if (cors.credentials && cors.origins.includes('*')) {
    report('cors/origins', 'browsers refuse `*` together with `credentials: true`: name the origins');
  }
  for (const [index, origin] of cors.origins.entries()) {
    if (origin === '*' || origin === 'null') continue;
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    if (url && url.origin === origin.toLowerCase()) continue;
    const suggestion = url && url.origin !== 'null' ? url.origin : undefined;
    report(
      `cors/origins/${index}`,
      `\`${origin}\` is not an origin: write scheme, host and port only, as in \`${suggestion ?? 'https://shop.example'}\``,
      suggestion,
    );
  }
}

function checkEndpoint(options: Partial<EndpointOptions>, report: Report): void {
  const urls = checkTargets(options, report);
  for (const one of urls) checkUrl(one, report);
  const { auth, tls } = options;
  for (const [name, value] of Object.entries(options.headers ?? {})) checkHeader('headers', name, value, report);
  if (auth?.header) checkHeader('auth/header', auth.header.name, auth.header.value, report);
  if (auth?.basic?.username.includes(':')) {
    report('auth/basic/username', 'a user name of basic authentication must not hold a colon (RFC 7617)');
  }
  if (auth?.oauth2) checkTokenServer('auth/oauth2', auth.oauth2, report);
  if (auth?.tokenExchange) checkTokenServer('auth/tokenExchange', auth.tokenExchange, report);
  if (auth?.bearer && badInValue.test(auth.bearer.token)) {
    report('auth/bearer/token', 'the token holds characters that no header can carry, such as a line break at its end');
  }
  if (!tls) return;
  if (urls.length > 0 && urls.every(({ url }) => url.protocol === 'http:'))
    report('tls', 'there is no TLS over `http:`: write `https:` in `url`, or drop `tls`');
  if (tls.cert && !tls.key) report('tls', '`cert` needs its private key: add `key`');
  if (tls.key && !tls.cert) report('tls', '`key` needs the certificate it belongs to: add `cert`');
}

function checkUrl({ at, url }: WrittenUrl, report: Report): void {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    report(at, `\`${url.protocol}\` is not a protocol of this connector: write \`http:\` or \`https:\``);
  }
  if (url.username || url.password) {
    report(at, 'a URL must not hold credentials: write `auth: { basic: { username: …, password: … } }` beside it');
  }
  if (url.search || url.hash) report(at, 'the URL of an endpoint ends with its path: use `query` for parameters');
}

function checkHeader(at: string, name: string, value: string, report: Report): void {
  const where = at === 'headers' ? `headers/${pointed(name)}` : `${at}/name`;
  if (!fieldName.test(name)) report(where, `\`${name}\` is not a header name`);
  else if (hopByHop.has(name.toLowerCase())) report(where, `\`${name}\` is set by the connection itself`);
  else if (badInValue.test(value)) {
    const valueAt = at === 'headers' ? where : `${at}/value`;
    report(valueAt, `the value of \`${name}\` holds characters that no header can carry, such as a line break`);
  }
}

const pointed = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

/** What only one source can serve. Two parameters in the same place are one path, whatever their names. */
export function claims(options: unknown): readonly string[] {
  const { path, method = 'POST' } = options as Partial<SourceOptions>;
  if (path === undefined) return [];
  const place = path.replaceAll(/\{[\w.-]+(\+?)\}/g, '{…$1}');
  const methods: readonly string[] = typeof method === 'string' ? [method] : method;
  return methods.map((one) => `\`${one} ${place}\``);
}
