import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '../../core/exchange.ts';
import { customFailure, failure, toFailure } from '../../errors.ts';
import { type AccessOptions, refusal } from './access.ts';
import { type Answer, problemOf } from './answer.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import { type AdminRoute, badRequest, findRoute } from './router.ts';
import { runningRoutes } from './running.ts';
import { sourceRoutes } from './sources.ts';
import type { AdminWorld } from './world.ts';

/** Of a request: what is said here is short. */
const mostBytes = 16 * 1024;

export type Serve = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Everything but the probes: loaded when somebody asks for it. */
export function serving(world: AdminWorld, options: AccessOptions, log: Log): Serve {
  const routes: readonly AdminRoute[] = [
    ...runningRoutes(world),
    ...sourceRoutes(world),
    ...deadLetterRoutes(() => world.deadLetters()),
  ];
  return async (request, response) => {
    const answer = await answered(routes, request, options).catch((thrown: unknown) => {
      const error = toFailure(thrown);
      if (error.kind === 'bug') log.error('an admin request failed', { code: error.code, detail: error.message });
      return problemOf(error);
    });
    send(answer, world.integration, response);
    // What is still to come of it is not waited for.
    if (!request.complete) response.once('finish', () => request.destroy());
  };
}

async function answered(
  routes: readonly AdminRoute[],
  request: IncomingMessage,
  options: AccessOptions,
): Promise<Answer> {
  const [path = '', ...query] = (request.url ?? '').split('?');
  const match = findRoute(routes, request.method ?? 'GET', path);
  const refused = refusal('route' in match ? match.route.access : 'read', request, options);
  if (refused) return refused;
  if ('answer' in match) return match.answer;
  const parameters = new URLSearchParams(query.join('?'));
  return match.route.handle({ params: match.params, query: parameters, body: () => bodyOf(request) });
}

function send({ status, headers, body }: Answer, integration: string | undefined, response: ServerResponse): void {
  const { complete } = response.req;
  const bytes = body instanceof Uint8Array ? body : body === undefined ? '' : `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(bytes) }),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // Several integrations run on one machine: whoever asks knows whether this is the one that was meant.
    ...(integration === undefined ? {} : { 'dowel-integration': integration }),
    ...(complete ? {} : { connection: 'close' }),
    ...headers,
  });
  response.end(bytes);
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const bytes = await bytesOf(request);
  if (bytes.byteLength === 0) return undefined;
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json *(;|$)/i.test(type)) {
    const detail = 'The body has to be JSON: `content-type: application/json`';
    throw customFailure('unsupported-media-type', 'permanent', 415, detail);
  }
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw badRequest('its body is no JSON');
  }
}

/** Not by iterating: whoever leaves a loop over a request cuts its connection, and no answer would arrive. */
function bytesOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    request.on('data', (chunk: Uint8Array) => {
      size += chunk.byteLength;
      if (size <= mostBytes) chunks.push(chunk);
      else reject(failure('too-large', { limit: mostBytes }));
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
  });
}
