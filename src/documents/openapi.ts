/** The HTTP side of an integration as an OpenAPI document, version 3.1. */
import type { FlowSource, IntegrationSource } from '../core/written.ts';
import type { Served, ServedSecurity } from '../sdk.ts';
import { asked } from './asked.ts';
import { Components } from './components.ts';
import { type Described, infoOf } from './described.ts';
import { Paths } from './paths.ts';
import { promised } from './promised.ts';
import { headSchema } from './steps.ts';

type Json = Readonly<Record<string, unknown>>;

const problemType = 'application/problem+json';

/** What problem details have (RFC 9457), with what Dowel adds. */
const problemSchema = {
  type: 'object',
  description: 'Problem details (RFC 9457).',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', description: 'Stable: what programs decide by.' },
    id: { type: 'string', description: 'Of the message.' },
    traceId: { type: 'string' },
    outcome: { enum: ['none', 'partial', 'unknown'], description: 'Whether anything was changed by then.' },
    findings: { type: 'array', items: { type: 'string' } },
  },
} as const;

export async function openApiOf(source: IntegrationSource, described: Described): Promise<Json> {
  const paths = new Paths();
  const components = new Components();
  const securitySchemes = new Map<string, Json>();
  for (const flow of Object.values(source.flows)) {
    const { from } = flow;
    const serves = from && (await described(from.name))?.serves;
    if (!from || !serves) continue;
    const served = serves(from.options as never);
    // Which document it keeps is said by config that has no value here.
    if (typeof served.path !== 'string') continue;
    for (const method of served.methods) {
      const operation = operationOf(flow, method, served, components);
      const security = securityOf(served, securitySchemes);
      paths.add(served.path, method, { ...operation, ...security });
    }
  }
  return {
    openapi: '3.1.0',
    info: infoOf(source),
    ...serversOf(source),
    paths: paths.all,
    components: {
      schemas: { ...components.schemas, DowelProblem: problemSchema },
      responses: {
        Problem: {
          description: 'An error, as problem details.',
          content: { [problemType]: { schema: { $ref: '#/components/schemas/DowelProblem' } } },
        },
      },
      ...(securitySchemes.size > 0 ? { securitySchemes: Object.fromEntries(securitySchemes) } : {}),
    },
  };
}

/** Where it listens, as far as the file knows. */
function serversOf({ server: { host, port, tls } }: IntegrationSource): Json {
  if (port === 0) return {};
  const everywhere = host === '0.0.0.0' || host === '::';
  const name = everywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return { servers: [{ url: `${tls ? 'https' : 'http'}://${name}:${port}` }] };
}

function operationOf(flow: FlowSource, method: string, served: Served, components: Components): Json {
  const { contract: kept } = served;
  const operation = kept?.contract.operation(kept.operation);
  const { description } = flow;
  const answers =
    operation && kept
      ? promised(operation, (schema) => components.fromContract(schema, kept.contract))
      : { ...asked(flow, method, served, components) };
  const responses = (answers['responses'] ?? {}) as Json;
  return {
    operationId: served.methods.length > 1 ? `${flow.name}-${method.toLowerCase()}` : flow.name,
    ...(description === undefined ? {} : { description }),
    ...answers,
    responses: { ...accepted(served), ...responses, ...withProblems(flow, served, responses) },
  };
}

function accepted({ accepted: kept }: Served): Json {
  if (!kept) return {};
  const schema = { type: 'object', required: ['id'], properties: { id: { type: 'string' } } };
  return {
    202: {
      description: 'The message is kept, and will be worked on.',
      content: { 'application/json': { schema } },
    },
  };
}

/** Errors that nobody catches; of those that the document has already nothing is said. */
function withProblems(flow: FlowSource, { security, limited, contract, mediaTypes }: Served, said: Json): Json {
  // A protocol above words its errors itself.
  if (mediaTypes) return {};
  const statuses = [
    ...(contract || headSchema(flow) ? ['400'] : []),
    ...(security.length > 0 ? ['401', '403'] : []),
    ...(contract ? ['415'] : []),
    ...(limited ? ['429'] : []),
    'default',
  ];
  const problem = { $ref: '#/components/responses/Problem' };
  return Object.fromEntries(statuses.flatMap((status) => (said[status] === undefined ? [[status, problem]] : [])));
}

/** What the source asks for; where it asks for nothing, what the document of its contract says. */
function securityOf({ security, contract: kept }: Served, all: Map<string, Json>): Json {
  if (security.length > 0) {
    return { security: security.map((one) => ({ [named(one, all)]: [...one.scopes] })) };
  }
  const told = kept?.contract.operation(kept.operation)?.told['security'];
  if (!kept || !Array.isArray(told)) return {};
  const { securitySchemes } = kept.contract;
  const requirements = told.map((alternative) =>
    Object.fromEntries(
      Object.entries((alternative ?? {}) as Json).flatMap(([name, scopes]) => {
        const scheme = securitySchemes[name];
        if (scheme === undefined) return [];
        return [[named({ name, scheme: scheme as Json, scopes: [] }, all), scopes]];
      }),
    ),
  );
  return { security: requirements };
}

/** Two sources may ask for the same in two ways. */
function named({ name, scheme }: ServedSecurity, all: Map<string, Json>): string {
  let free = name;
  for (let nth = 2; ; nth += 1) {
    const there = all.get(free);
    if (there === undefined) break;
    if (JSON.stringify(there) === JSON.stringify(scheme)) return free;
    free = `${name}-${nth}`;
  }
  all.set(free, scheme);
  return free;
}
