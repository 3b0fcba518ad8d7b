import { type ConnectorDefinition, type Infer, type Schema, tlsProperties } from '#sdk';
import { authOptions, requestLimitOptions } from './auth/options.ts';
import { outgoingOptions } from './auth/outgoing-options.ts';
import { check, claims, params } from './check.ts';
import { asks, checkServer, provides, tokens } from './check-auth.ts';
import { checkCall, complete, contractSchemas, methodIn } from './contract/check.ts';
import { contractDoubts } from './contract/doubts.ts';
import { callContract, endpointContract, sourceContract } from './contract/options.ts';
import { targetsOptions } from './targets-options.ts';

const method = {
  type: 'string',
  enum: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'],
} as const satisfies Schema;

const texts = { type: 'array', items: { type: 'string' }, minItems: 1 } as const satisfies Schema;

const ofTheServer = 'belongs under `server:`, at the top of the file: all http sources of a process share one port';

export const sourceSchema = {
  type: 'object',
  required: ['path'],
  elsewhere: { port: ofTheServer, host: ofTheServer, tls: ofTheServer },
  unless: { path: 'contract' },
  properties: {
    path: {
      type: 'string',
      pattern: '^/',
      patternText: 'a path that begins with `/`',
      description:
        'Path with `{name}` for one segment, as in OpenAPI, and `{name+}` at its end for all the rest. Literal segments win over parameters, parameters over the rest.',
      examples: ['/orders', '/orders/{id}', '/files/{rest+}'],
    },
    method: {
      either: [method, { type: 'array', items: method, minItems: 1 }],
      default: 'POST',
      description: 'Method, or list of methods. GET serves HEAD too; OPTIONS is answered without the flow.',
      examples: ['POST', ['GET', 'DELETE']],
    },
    contract: sourceContract,
    maxBody: {
      type: 'string',
      format: 'size',
      default: '1mb',
      description: 'Largest body that is taken; a larger one is answered 413. Relayed streams count too.',
    },
    reply: {
      type: 'string',
      enum: ['result', 'accepted'],
      description:
        'What the caller waits for: the end of the flow (`result`, as if nothing were written), or that the message is on disk (`accepted`): then the answer is 202 with the id of the message, and the flow has it at least once, under its `redelivery` and `deadLetter`.',
      examples: ['accepted'],
    },
    capacity: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000_000,
      description:
        'With `reply: accepted`: how many messages may wait; 100000 when absent. One more is answered 503, at once.',
      examples: [10_000],
    },
    auth: authOptions,
    rateLimit: requestLimitOptions,
    cors: {
      type: 'object',
      required: ['origins'],
      description:
        'Which web pages of other origins may call (CORS). Preflight requests are answered without the flow.',
      properties: {
        origins: { ...texts, description: 'Origins such as `https://shop.example`, or `*` for all.' },
        methods: { type: 'array', items: method, minItems: 1, description: 'Methods; absent = those of the path.' },
        headers: { ...texts, description: 'Request headers that pages may set; absent = those the browser asks for.' },
        expose: { ...texts, description: 'Answer headers that pages may read.' },
        credentials: { type: 'boolean', default: false, description: 'Cookies and authorization may be sent.' },
        maxAge: {
          type: 'string',
          format: 'duration',
          default: '10m',
          description: 'How long browsers remember the answer to a preflight request.',
        },
      },
    },
  },
} as const satisfies Schema;

const secret = { type: 'string', format: 'password' } as const satisfies Schema;

export const endpointSchema = {
  type: 'object',
  oneOf: ['url', 'urls'],
  properties: {
    url: {
      type: 'string',
      format: 'uri',
      description: 'Where the service is; the path of each call is joined to the path given here.',
      examples: ['http://localhost:9101', 'https://api.example.com/v2'],
    },
    ...targetsOptions,
    contract: endpointContract,
    headers: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Headers of every request; those of a call win over them.',
    },
    query: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Query parameters of every request; those of a call win over them.',
    },
    auth: {
      type: 'object',
      oneKey: true,
      description: 'How the service knows us. Nothing in a message can change it.',
      properties: {
        basic: {
          type: 'object',
          description: 'A name and a password (RFC 7617).',
          required: ['username', 'password'],
          properties: {
            username: { type: 'string', description: 'The name.' },
            password: { ...secret, description: 'The password.', examples: ['${STOCK_PASSWORD}'] },
          },
        },
        bearer: {
          type: 'object',
          description: 'A token that the bearer shows (RFC 6750).',
          required: ['token'],
          properties: { token: { ...secret, description: 'The token.', examples: ['${STOCK_TOKEN}'] } },
        },
        header: {
          type: 'object',
          description: 'A key in a header of its own.',
          required: ['name', 'value'],
          properties: {
            name: { type: 'string', description: 'Name of the header.', examples: ['x-api-key'] },
            value: { ...secret, description: 'The key.', examples: ['${STOCK_KEY}'] },
          },
        },
        ...outgoingOptions,
      },
    },
    tls: {
      type: 'object',
      description: 'For https: whom to trust, and who we are.',
      properties: tlsProperties,
    },
    pool: {
      type: 'object',
      description: 'The connections to the service.',
      properties: {
        connections: {
          type: 'integer',
          minimum: 1,
          maximum: 65_535,
          default: 256,
          description: 'Open connections at most; further calls wait for one.',
        },
        keepAlive: {
          type: 'string',
          format: 'duration',
          default: '4s',
          description: 'How long an idle connection is kept, unless the service says otherwise (`Keep-Alive`).',
        },
        connectTimeout: {
          type: 'string',
          format: 'duration',
          default: '5s',
          description: 'For connecting, TLS included.',
        },
      },
    },
    maxResponse: {
      type: 'string',
      format: 'size',
      default: '10mb',
      description: 'Largest answer that is read as a value; a relayed answer may be of any size.',
    },
    response: {
      type: 'object',
      description: 'What answers are, where the service says something wrong.',
      properties: {
        format: {
          type: 'string',
          enum: ['json', 'xml', 'text', 'form', 'bytes'],
          description: 'Read every answer as this, whatever its content type.',
        },
      },
    },
  },
} as const satisfies Schema;

const ofTheEndpoint = 'belongs to the endpoint: under `endpoints:`, as `some-name: { http: { url: … } }`';

export const callSchema = {
  type: 'object',
  elsewhere: { url: ofTheEndpoint, baseUrl: ofTheEndpoint },
  properties: {
    ...callContract,
    method: {
      type: 'string',
      template: true,
      default: 'POST',
      description: 'GET, HEAD and DELETE send no body unless the step gives `body`.',
      examples: ['GET', 'PUT'],
    },
    path: {
      type: 'string',
      template: 'path',
      description: 'Joined to the path of the URL; each hole is encoded as one segment.',
      examples: ['/stock/${{ sku }}'],
    },
    query: {
      type: 'object',
      template: true,
      description: 'Query parameters; a list repeats its parameter, a hole that yields nothing drops it.',
      examples: [{ page: '${{ page }}' }],
    },
    headers: { type: 'object', template: true, description: 'Headers of this request.' },
    target: {
      type: 'string',
      template: true,
      description:
        'Name of the target under `urls` that takes this call, whatever the load balancing says; a hole that yields nothing leaves it to the load balancing.',
      examples: ["${{ $headers.'x-tenant' = 'acme' ? 'canary' : 'stable' }}"],
    },
  },
} as const satisfies Schema;

export type SourceOptions = Infer<typeof sourceSchema>;
export type CorsOptions = NonNullable<SourceOptions['cors']>;
export type EndpointOptions = Infer<typeof endpointSchema>;
export type CallOptions = Infer<typeof callSchema>;

/** The caller is answered as soon as the message is in the store. */
const isAccepted = (options: unknown): boolean => (options as Partial<SourceOptions>).reply === 'accepted';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);
const idempotentMethods = new Set([...safeMethods, 'PUT', 'DELETE']);

function methodOf(operation: unknown, endpoint: unknown): string {
  const method = (operation as { method?: unknown } | undefined)?.method ?? methodIn(operation, endpoint);
  // Nearly always; making a text of it costs more than all the rest.
  return typeof method === 'string' && idempotentMethods.has(method) ? method : String(method).toUpperCase();
}

export const httpDefinition = {
  name: 'http',
  summary: 'Serves HTTP clients and calls HTTP services.',
  source: sourceSchema,
  endpoint: endpointSchema,
  call: callSchema,
  replies: true,
  writesTrace: true,
  events: { prefix: 'ce-', percentEncoded: true },
  awaitsReply: (options) => !isAccepted(options),
  unanswered: 'with `reply: accepted` the caller is answered before the flow begins',
  settles: isAccepted,
  unsettled:
    'the caller waits for the answer, and hears of an error. Calls are repeated by `retry` on their endpoint; with `reply: accepted` under `http` the message itself is kept until it is done',
  queues: isAccepted,
  // Callers are told (503), and the port stays open.
  staysOpen: () => true,
  provides,
  asks,
  tokens,
  checkServer,
  params,
  idempotent: (operation, endpoint) => idempotentMethods.has(methodOf(operation, endpoint)),
  safe: (operation, endpoint) => safeMethods.has(methodOf(operation, endpoint)),
  schemas: contractSchemas,
  doubts: contractDoubts,
  complete,
  checkCall,
  claims,
  check,
} as const satisfies ConnectorDefinition;
