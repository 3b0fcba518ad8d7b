import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Answer, problem } from './answer.ts';
import type { AdminRoute } from './router.ts';

export interface AccessOptions {
  /** The address that the server was told to listen on. */
  readonly host: string;
  readonly token?: string | undefined;
}

/**
 * Whether a request may do what it asks for: `undefined` = yes. With a token configured, everything but the probes wants
 * it. Without one nothing can be changed, for whatever program runs on this machine, or in this pod, reaches the loopback
 * interface; and only there something is told.
 */
export function refusal(
  access: AdminRoute['access'],
  { headers }: Pick<IncomingMessage, 'headers'>,
  { host, token }: AccessOptions,
): Answer | undefined {
  if (access === 'open') return undefined;
  // A page in somebody's browser, which may have led it here by its own name (DNS rebinding).
  if (headers.origin !== undefined) return problem(403, 'forbidden', 'The admin server is not for web pages');
  if (token !== undefined) return bears(headers.authorization, token) ? undefined : unauthorized;
  if (access === 'change') return noToken;
  if (!isLoopback(host)) return notTold;
  return isLoopback(hostIn(headers.host)) ? undefined : wrongHost;
}

const unauthorized = problem(401, 'unauthorized', 'This needs the admin token: `Authorization: Bearer …`', {
  'www-authenticate': 'Bearer realm="dowel admin"',
});

const howTo =
  'Write `admin: { token: "${ADMIN_TOKEN}" }` into the file, with `config: { ADMIN_TOKEN: { secret: true } }`, and start it with that variable';

const noToken = problem(403, 'no-admin-token', `Nothing can be changed here without an admin token. ${howTo}`);

const notTold = problem(
  403,
  'no-admin-token',
  `The admin server listens beyond this machine, so this is told only to who has the admin token. ${howTo}`,
);

const wrongHost = problem(
  403,
  'forbidden',
  'Without a token the admin server answers to `localhost` and `127.0.0.1` only',
);

/** In a time that does not depend on where the two differ. */
function bears(authorization: string | undefined, token: string): boolean {
  const [, given] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const hostIn = (header: string | undefined): string => /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(header ?? '')?.[1] ?? '';

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
