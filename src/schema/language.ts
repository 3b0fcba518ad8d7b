/** What may stand in the file around steps and connectors: the top level, `config`, endpoints, flows. */
import { endpointEvents, sourceEvents } from '../events/options.ts';
import { policyOptions } from '../resilience/policy.ts';
import { storeOptions } from '../store/options.ts';
import { catchEntry } from './catch-entry.ts';
import type { Schema } from './schema.ts';

export const configTypes = ['string', 'integer', 'number', 'boolean', 'uri', 'duration', 'size'] as const;

const configEntry = {
  type: 'object',
  properties: {
    type: {
      type: 'string',
      enum: configTypes,
      default: 'string',
      description: 'What the text of the environment must be.',
    },
    default: { any: true, description: 'The value when the environment has none. Without it the value is required.' },
    required: {
      type: 'boolean',
      default: true,
      description: '`false`: may be left unset. An option that is `${NAME}` then counts as not written.',
    },
    secret: {
      type: 'boolean',
      default: false,
      description: 'Never printed, and not visible to expressions. Also read from the file that `NAME_FILE` names.',
    },
    description: { type: 'string', description: 'What it is for; shown when it is missing.' },
  },
} as const satisfies Schema;

export const configSchema = {
  type: 'object',
  additionalProperties: configEntry,
  keys: 'variable',
  description:
    'Everything that comes from outside, by the name of its environment variable. Used as `${NAME}` in options and as `$config.NAME` in expressions.',
  examples: [{ PORT: { type: 'integer', default: 8080 } }],
} as const satisfies Schema;

const endpointSchema = {
  type: 'object',
  slot: 'endpoint',
  properties: {
    description: { type: 'string', description: 'What the system is, for readers.' },
    cloudEvents: endpointEvents,
    ...policyOptions,
  },
} as const satisfies Schema;

const redeliverySchema = {
  type: 'object',
  description:
    'How a message that failed for a moment (kind `transient`) is tried again. For sources that keep a message until it is settled; holds with these defaults where nothing is written.',
  properties: {
    maxAttempts: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 5,
      description: 'Attempts in total, those before a crash among them; then the message is a dead letter.',
    },
    delay: {
      type: 'string',
      format: 'duration',
      default: '1s',
      description:
        'The longest pause before the second attempt; the real one is drawn between nothing and it (full jitter).',
    },
    factor: { type: 'number', minimum: 1, maximum: 10, default: 2, description: 'By which the pause grows each time.' },
    maxDelay: { type: 'string', format: 'duration', default: '1m', description: 'The longest pause of all.' },
  },
  examples: [{ maxAttempts: 5, delay: '1s', factor: 2, maxDelay: '1m' }],
} as const satisfies Schema;

const deadLetterSchema = {
  type: 'object',
  slot: 'call',
  description:
    'Where a message goes that failed for good, confirmed before it is acknowledged. Absent: the store, for `dowel dead-letters`.',
  properties: {
    endpoint: { type: 'string', format: 'name', description: 'Name of the endpoint, under `endpoints:`.' },
    headers: {
      type: 'object',
      template: true,
      additionalProperties: { type: 'string' },
      description: 'Headers beside those that the message came with and the `dowel-…` ones that say what happened.',
    },
    body: { template: true, description: 'What is sent; sees `$error`. Default: the bytes as they came in.' },
  },
  required: ['endpoint'],
  examples: [{ endpoint: 'parked' }],
} as const satisfies Schema;

const flowSchema = {
  type: 'object',
  required: ['steps'],
  properties: {
    description: { type: 'string', description: 'What the flow does, for readers.' },
    from: {
      type: 'object',
      slot: 'source',
      properties: { cloudEvents: sourceEvents },
      description: 'Where its messages come from. A flow without it is a sub-flow, reached by `run`.',
      examples: [{ http: { method: 'POST', path: '/orders' } }],
    },
    deadline: {
      type: 'string',
      format: 'duration',
      minimum: 1,
      description: 'How long a message may take; calls get what is left. 60s when absent and a caller waits.',
      examples: ['5s'],
    },
    durable: {
      type: 'boolean',
      default: false,
      description:
        'What its messages have done is kept in the store, so that they go on after a crash: nothing is done twice, nothing forgotten. Flows with a `saga` always are.',
    },
    concurrency: {
      type: 'integer',
      minimum: 1,
      maximum: 100_000,
      description:
        'How many messages are in the flow at once; a caller beyond that is answered 503. 1 when absent and the source keeps its messages until they are settled: these wait.',
    },
    orderBy: {
      type: 'string',
      format: 'expression',
      description:
        'JSONata over the message: those for which it yields the same are worked on one after the other, in the order in which they came; others side by side, up to `concurrency`.',
      examples: ['customerId'],
    },
    redelivery: redeliverySchema,
    deadLetter: deadLetterSchema,
    steps: { kind: 'steps', description: 'What happens to each message, in order.' },
    onError: {
      type: 'array',
      items: catchEntry,
      minItems: 1,
      description: 'What happens when a step fails and nothing inside catches it: the first entry that fits.',
    },
  },
} as const satisfies Schema;

const port = { type: 'integer', minimum: 0, maximum: 65_535 } as const satisfies Schema;

const serverTls = {
  type: 'object',
  required: ['cert', 'key'],
  description: 'Serves https, and no http. Files that change are read again, without a restart.',
  properties: {
    cert: {
      type: 'string',
      format: 'file',
      description: 'Certificate of the server, with those between it and its authority (PEM).',
      examples: ['./tls/tls.crt'],
    },
    key: { type: 'string', format: 'file', description: 'Its private key (PEM).', examples: ['./tls/tls.key'] },
    ca: {
      type: 'string',
      format: 'file',
      description:
        'Authorities of client certificates (PEM): clients are asked for one. Which sources insist on it says their `auth: { mtls: … }`.',
      examples: ['./tls/clients.crt'],
    },
    minVersion: {
      type: 'string',
      enum: ['TLSv1.2', 'TLSv1.3'],
      default: 'TLSv1.2',
      description: 'The oldest version of TLS that is spoken.',
    },
  },
} as const satisfies Schema;

export const integrationSchema = {
  type: 'object',
  required: ['dowel', 'name', 'flows'],
  properties: {
    dowel: {
      type: 'integer',
      minimum: 1,
      maximum: 1,
      description: 'Version of the language.',
      examples: [1],
    },
    name: {
      type: 'string',
      format: 'name',
      description: 'What the integration is called in logs, metrics and graphs.',
      examples: ['place-order'],
    },
    version: {
      type: 'string',
      description: 'Version of the integration; stands on every log line.',
      examples: ['1.2.0'],
    },
    description: { type: 'string', description: 'What the integration does, for readers.' },
    config: configSchema,
    server: {
      type: 'object',
      description: 'Where the http sources listen.',
      default: {},
      properties: {
        port: { ...port, default: 8080, description: 'The port; 0 takes a free one, which the log names.' },
        host: { type: 'string', default: '0.0.0.0', description: 'The address; `127.0.0.1` for this machine only.' },
        tls: serverTls,
      },
    },
    admin: {
      type: 'object',
      description:
        'Where the probes ask (`/livez`, `/readyz`, `/startupz`) and dead letters are handled. A port of its own, away from callers.',
      default: {},
      properties: {
        port: {
          ...port,
          description: 'The port; 9400 when absent, or a free one when that is taken, which the log names.',
          examples: [9400],
        },
        host: { type: 'string', default: '127.0.0.1', description: 'The address; `0.0.0.0` for probes from outside.' },
        token: {
          type: 'string',
          format: 'password',
          description:
            'Asked for by everything but the probes and `/metrics` (`Authorization: Bearer …`). Without it nothing can be changed, and only a `host` that is loopback tells anything.',
          examples: ['${ADMIN_TOKEN}'],
        },
      },
    },
    log: {
      type: 'object',
      description: 'What is logged. The environment variable `LOG_LEVEL` wins over it.',
      default: {},
      properties: {
        level: {
          type: 'string',
          enum: ['debug', 'info', 'warn', 'error'],
          default: 'info',
          description: 'The quietest level that is written.',
        },
        calls: {
          type: 'string',
          enum: ['off', 'debug', 'info'],
          default: 'debug',
          description:
            'The level of the line that each message and each call leaves when it has ended. The environment variable `LOG_CALLS` wins over it.',
        },
      },
    },
    store: storeOptions,
    endpoints: {
      type: 'object',
      additionalProperties: endpointSchema,
      keys: 'name',
      description: 'Every outside system, named once, with its policies. Steps refer to it by name.',
      examples: [{ inventory: { http: { url: '${INVENTORY_URL}' }, timeout: '800ms' } }],
    },
    flows: {
      type: 'object',
      additionalProperties: flowSchema,
      keys: 'name',
      minItems: 1,
      description: 'What the integration does: each flow takes messages from a source through its steps.',
    },
  },
} as const satisfies Schema;
