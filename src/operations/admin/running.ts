/** What runs, and what a person may set of it while it runs. */
import { customFailure } from '../../errors.ts';
import type { CircuitBreaker } from '../../resilience/circuit-breaker.ts';
import type { Answer } from './answer.ts';
import { type AdminRequest, type AdminRoute, badRequest } from './router.ts';
import type { AdminWorld } from './world.ts';

const byHand = ['open', 'off', 'reset'] as const;
const levels = ['debug', 'info', 'warn', 'error'] as const;

export function runningRoutes(world: AdminWorld): readonly AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/metrics',
      // Names of flows and endpoints, and numbers: as open as the probes, because what collects them has no token.
      access: 'open',
      handle: async () => ({
        status: 200,
        headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
        body: Buffer.from(await world.metrics()),
      }),
    },
    { method: 'GET', path: '/openapi.json', access: 'read', handle: () => document(world, 'openapi') },
    { method: 'GET', path: '/asyncapi.json', access: 'read', handle: () => document(world, 'asyncapi') },
    { method: 'GET', path: '/status', access: 'read', handle: async () => status(world) },
    {
      method: 'PUT',
      path: '/endpoints/{name}/circuit-breaker',
      access: 'change',
      handle: (request) => setBreaker(world, request),
    },
    { method: 'GET', path: '/log-level', access: 'read', handle: async () => level(world) },
    { method: 'PUT', path: '/log-level', access: 'change', handle: (request) => setLevel(world, request) },
  ];
}

const notOpen = () => customFailure('starting', 'rejected', 503, 'The integration is not open yet');

function status(world: AdminWorld): Answer {
  const body = world.status();
  if (!body) throw notOpen();
  return { status: 200, body };
}

async function document(world: AdminWorld, kind: 'openapi' | 'asyncapi'): Promise<Answer> {
  const body = await world.document(kind);
  if (body === undefined) throw notOpen();
  return { status: 200, body };
}

async function setBreaker(world: AdminWorld, { params, body }: AdminRequest): Promise<Answer> {
  const name = params['name'] ?? '';
  const breaker = breakerOf(world, name);
  const to = oneOf(await body(), 'state', byHand);
  breaker.force(to);
  world.log.warn('circuit breaker set by hand', { endpoint: name, to });
  return { status: 200, body: { endpoint: name, circuitBreaker: breaker.state } };
}

function breakerOf(world: AdminWorld, name: string): CircuitBreaker {
  const breaker = world.breakerOf(name);
  if (breaker) return breaker;
  const others = world.status()?.endpoints.filter((one) => one.circuitBreaker !== undefined) ?? [];
  const there = others.length === 0 ? 'no endpoint has one' : `there are ${others.map((one) => one.name).join(', ')}`;
  throw customFailure('not-found', 'permanent', 404, `There is no endpoint ${name} with a circuit breaker; ${there}`);
}

const level = (world: AdminWorld): Answer => ({ status: 200, body: { level: world.log.level } });

async function setLevel(world: AdminWorld, { body }: AdminRequest): Promise<Answer> {
  const from = world.log.level;
  const to = oneOf(await body(), 'level', levels);
  world.log.setLevel(to);
  world.log.warn('log level set by hand', { from, to });
  return level(world);
}

function oneOf<T extends string>(body: unknown, key: string, known: readonly T[]): T {
  const given =
    typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>)[key] : undefined;
  const found = known.find((one) => one === given);
  if (found === undefined) throw badRequest(`its body is {"${key}": "${known.join('" | "')}"}`);
  return found;
}
