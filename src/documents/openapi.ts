/** The HTTP side of an integration as an OpenAPI document, version 3.1. */
import type { ContractContent, ContractOperation } from '../core/contract.ts';
import type { FlowSource, IntegrationSource } from '../core/written.ts';
import type { Served, ServedSecurity } from '../sdk.ts';
import { Components } from './components.ts';
import { type Described, infoOf } from './described.ts';
import { answersOf, headSchema, isOneHole, shapeOf } from './steps.ts';

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
  const paths: Record<string, Record<string, unknown>> = {};
  const components = new Components();
  const securitySchemes = new Map<string, Json>();
  for (const flow of Object.values(source.flows)) {
    const { from } = flow;
    const serves = from && (await described(from.name))?.serves;
    if (!from || !serves) continue;
    const served = serves(from.options as never);
    // Which document it keeps is said by config that has no value here.
    if (typeof served.path !== 'string') continue;
    const path = served.path.replaceAll(/\{([\w.-]+)\+\}/g, '{$1}');
    const item = paths[path] ?? {};
    paths[path] = item;
    for (const method of served.methods) {
      const operation = operationOf(flow, method, served, components);
      const security = securityOf(served, securitySchemes);
      item[method.toLowerCase()] = { ...operation, ...security };
    }
  }
  return {
    openapi: '3.1.0',
    info: infoOf(source),
    ...serversOf(source),
    paths,
    components: {
      schemas: { ...components.schemas, Problem: problemSchema },
      responses: {
        Problem: {
          description: 'An error, as problem details.',
          content: { [problemType]: { schema: { $ref: '#/components/schemas/Problem' } } },
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

/** As the document of the contract says. */
function promised(operation: ContractOperation, schemaOf: (schema: unknown) => unknown): Json {
  const { told, parameters, body, answers } = operation;
  const described = (schema: unknown, mediaType: string | undefined): Json =>
    mediaType === undefined ? { schema: schemaOf(schema) } : { content: { [mediaType]: { schema: schemaOf(schema) } } };
  const contents = (all: readonly ContractContent[]): Json =>
    Object.fromEntries(
      all.map((one) => [
        one.mediaType,
        { ...one.told, ...(one.schema === undefined ? {} : { schema: schemaOf(one.schema) }) },
      ]),
    );
  const { security: _, ...said } = told;
  return {
    ...said,
    ...(parameters.length > 0
      ? {
          parameters: parameters.map(
            ({ name, in: place, required, style, explode, mediaType, schema, told: more }) => ({
              name,
              in: place,
              ...more,
              ...(required ? { required } : {}),
              ...(mediaType === undefined ? { style, explode } : {}),
              ...described(schema, mediaType),
            }),
          ),
        }
      : {}),
    ...(body
      ? {
          requestBody: { ...body.told, ...(body.required ? { required: true } : {}), content: contents(body.contents) },
        }
      : {}),
    responses: Object.fromEntries(
      answers.map((answer) => [
        answer.status,
        {
          ...answer.told,
          ...(answer.headers.length > 0
            ? {
                headers: Object.fromEntries(
                  answer.headers.map((header) => [
                    header.name,
                    {
                      ...header.told,
                      ...(header.required ? { required: true } : {}),
                      ...described(header.schema, header.mediaType),
                    },
                  ]),
                ),
              }
            : {}),
          ...(answer.contents.length > 0 ? { content: contents(answer.contents) } : {}),
        },
      ]),
    ),
  };
}

/** What the flow itself tells, where there is no contract. */
function asked(
  flow: FlowSource,
  method: string,
  { path, accepted: kept, mediaTypes }: Served,
  components: Components,
): Json {
  const names = [...path.matchAll(/\{([\w.-]+)(\+?)\}/g)];
  const head = headSchema(flow);
  const schema = head && components.own(head.key, head.name ?? flow.name, head.schema);
  const takesBody = method !== 'GET' && method !== 'HEAD' && method !== 'DELETE';
  const types = mediaTypes ?? [schema ? 'application/json' : '*/*'];
  const answers = kept ? [] : [...answersOf(flow)];
  // What ends without `respond` answers with its body.
  const succeeds = kept || answers.some(([status]) => status < 300);
  return {
    ...(names.length > 0
      ? {
          parameters: names.map(([, name = '', rest]) => ({
            name,
            in: 'path',
            required: true,
            ...(rest ? { description: 'All the rest of the path, slashes and all.' } : {}),
            schema: { type: 'string' },
          })),
        }
      : {}),
    ...(takesBody
      ? {
          requestBody: {
            ...(schema ? { required: true } : {}),
            content: Object.fromEntries(types.map((type) => [type, schema ? { schema } : {}])),
          },
        }
      : {}),
    responses: Object.fromEntries(
      (succeeds ? answers : [...answers, [200, undefined] as const]).map(([status, body]) => [
        String(status),
        { description: textOf(status), ...contentOf(body, mediaTypes) },
      ]),
    ),
  };
}

function contentOf(body: unknown, mediaTypes: Served['mediaTypes']): Json {
  if (mediaTypes) return { content: Object.fromEntries(mediaTypes.map((type) => [type, {}])) };
  if (body === undefined || (typeof body === 'string' && isOneHole(body))) return {};
  const type = typeof body === 'string' ? 'text/plain' : 'application/json';
  return { content: { [type]: { schema: shapeOf(body) } } };
}

const textOf = (status: number): string => process.getBuiltinModule('node:http').STATUS_CODES[status] ?? 'An answer';

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
