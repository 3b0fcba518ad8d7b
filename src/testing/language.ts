/** The language of tests (`*.test.yaml`), in the same notation as that of integrations. */
import type { Infer } from '../schema/infer.ts';
import type { Schema } from '../schema/schema.ts';

const headers = {
  type: 'object',
  additionalProperties: { any: true },
} as const satisfies Schema;

const moment = {
  type: 'string',
  description: 'Date and time at which a test begins (ISO 8601, UTC where it says no zone). Time is virtual.',
  examples: ['2026-01-01T00:00:00Z'],
} as const satisfies Schema;

const answerSchema = {
  type: 'object',
  oneOf: ['reply', 'fail', 'hang'],
  properties: {
    when: {
      type: 'string',
      format: 'expression',
      description:
        'JSONata over the call: `endpoint`, `nth` (from 1), `body`, `headers`, and the options of the call (`method`, `path`, `query` …). The answer is for calls for which it is true.',
      examples: ["$contains(path, 'stock')"],
    },
    times: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      description:
        'How many calls get this answer, before the next that fits: 1 when absent, and with `when` all. The last that fits repeats.',
    },
    delay: {
      type: 'string',
      format: 'duration',
      description: 'How long the answer, or the failure, takes: virtual time.',
      examples: ['2s'],
    },
    reply: {
      type: 'object',
      description: 'What the far side answers. `{}`: that it is done.',
      properties: {
        status: {
          type: 'integer',
          template: true,
          minimum: 200,
          maximum: 599,
          default: 200,
          description: 'Status of the answer (HTTP).',
        },
        headers: { type: 'object', template: true, description: 'Its headers.' },
        body: { template: true, description: 'The body as a value, written by the content type among the headers.' },
        text: { type: 'string', template: true, description: 'The body as it comes over the wire, instead of `body`.' },
      },
    },
    fail: {
      either: [
        { type: 'string' },
        {
          type: 'object',
          required: ['code'],
          properties: {
            code: { type: 'string', description: 'Code of the error.' },
            kind: {
              type: 'string',
              enum: ['transient', 'permanent', 'rejected'],
              description: 'Its kind; needed for codes that Dowel does not know.',
            },
            facts: { type: 'object', any: true, description: 'What is known of it: `$error.facts`.' },
          },
        },
      ],
      description: 'The call fails with this error: its code, or a map with `code`, `kind` and `facts`.',
      examples: ['connection', 'timeout'],
    },
    hang: { type: 'boolean', description: '`true`: no answer ever comes.' },
  },
} as const satisfies Schema;

const endpointsSchema = {
  type: 'object',
  additionalProperties: { type: 'array', items: answerSchema, minItems: 1 },
  description:
    'What stands in for each endpoint: its answers, in order. A call gets the first whose `when` holds and whose `times` are not used up; the last of those that fit repeats. Retries, breakers, timeouts and caches of the endpoint run as ever.',
  examples: [{ payments: [{ reply: { body: { id: 'ch_1' } } }] }],
} as const satisfies Schema;

const ofTheSource =
  'is said by the source of the flow: write `flow:` and, beside it, `params`, `query`, `headers`, `body`';

const sendSchema = {
  type: 'object',
  elsewhere: { http: ofTheSource, method: ofTheSource, path: ofTheSource, url: ofTheSource },
  properties: {
    flow: { type: 'string', format: 'name', description: 'Name of the flow that gets the message; a sub-flow too.' },
    advance: {
      type: 'string',
      format: 'duration',
      description: 'Time that passes before it is sent; alone, without `flow`: time that passes.',
      examples: ['5s'],
    },
    parallel: {
      type: 'boolean',
      default: false,
      description: 'Does not wait until the messages before it were answered.',
    },
    body: { any: true, description: 'The body as a value, written by `contentType`.' },
    text: { type: 'string', description: 'The body as it comes over the wire, instead of `body`.' },
    bytes: { type: 'string', description: 'The same as base64.' },
    file: { type: 'string', format: 'file', description: 'The same from a file.', examples: ['./order.json'] },
    contentType: { type: 'string', description: 'Type of the body; JSON when absent.', examples: ['application/xml'] },
    headers: { ...headers, description: 'Headers of the message.' },
    params: { ...headers, description: 'Parameters of the path: `$params`.', examples: [{ id: '7' }] },
    query: { ...headers, description: 'Query parameters: `$query`.', examples: [{ page: '2' }] },
    identity: {
      type: 'object',
      description:
        'Who sends it: `$identity`. It counts as shown and checked; `scopes` and `when` under `auth` of the source hold as ever. Without it, only a key or a password among the headers lets a message in.',
      properties: {
        scheme: {
          type: 'string',
          enum: ['jwt', 'introspection', 'apiKey', 'basic', 'mtls'],
          description: 'How the sender is known; the first that the source has, when absent.',
        },
        subject: { type: 'string', description: 'The person or program.', examples: ['ada'] },
        clientId: { type: 'string', description: 'The program through which it came.' },
        scopes: { type: 'array', items: { type: 'string' }, description: 'What it may do; nothing when absent.' },
        claims: { type: 'object', any: true, description: 'All that its token or certificate says.' },
      },
      examples: [{ subject: 'ada', scopes: ['orders.write'] }],
    },
    source: { ...headers, description: 'What the source knows of the message: `$source` (topic, path …).' },
    attempt: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      default: 1,
      description: 'Which delivery of the message it is, as a broker counts.',
    },
  },
} as const satisfies Schema;

const exactly = {
  type: 'boolean',
  default: false,
  description: 'The body has nothing that is not named. Else only the keys that are named are compared.',
} as const satisfies Schema;

const matches = {
  type: 'string',
  format: 'expression',
} as const satisfies Schema;

const replySchema = {
  type: 'object',
  description: 'What the sender gets. Only what is named is compared.',
  properties: {
    status: { type: 'integer', minimum: 100, maximum: 599, description: 'The status (HTTP).' },
    headers: { ...headers, description: 'Headers of the answer, by lower-case name.' },
    body: { any: true, description: 'The body, as a value; of maps only the keys that are named.' },
    exactly,
    matches: {
      ...matches,
      description: 'JSONata over the body (`$status` and `$headers` beside it) that must be true.',
      examples: ['$count(items) > 2'],
    },
    schema: {
      either: [
        { type: 'string', format: 'file' },
        { type: 'object', any: true },
      ],
      description: 'JSON Schema of the body: a file, or inline.',
      examples: ['./answer.schema.json'],
    },
    error: {
      type: 'object',
      description: 'The error that nobody caught. `{}`: any.',
      properties: {
        code: { type: 'string', description: 'Its code.', examples: ['circuit-open'] },
        kind: { type: 'string', description: 'Its kind.', examples: ['transient'] },
        place: { type: 'string', description: 'Name of the step that failed, or its path.' },
        outcome: {
          type: 'string',
          enum: ['none', 'partial', 'unknown'],
          description: 'What the message had done by then.',
        },
      },
    },
  },
} as const satisfies Schema;

const callSchema = {
  type: 'object',
  additionalProperties: { any: true },
  properties: {
    body: { any: true, description: 'What was sent, as a value.' },
    exactly,
    headers: { ...headers, description: 'Headers that the file itself gave the call.' },
    matches: { ...matches, description: 'JSONata over the call, as in `when` of the answers, that must be true.' },
  },
} as const satisfies Schema;

const expectSchema = {
  type: 'object',
  description: 'What must be true at the end. What is not named is not looked at.',
  properties: {
    reply: replySchema,
    replies: { type: 'array', items: replySchema, description: 'Where `send` is a list: the answer to each message.' },
    calls: {
      type: 'object',
      additionalProperties: {
        either: [
          { type: 'array', items: callSchema },
          {
            type: 'object',
            required: ['count'],
            properties: { count: { type: 'integer', minimum: 0, description: 'How many there were.' } },
          },
        ],
      },
      description:
        'All that went out to an endpoint, in order, retries included: each entry is compared on the keys that it names. `[]`: nothing went out. `{ count: 3 }`: only how many.',
      examples: [{ payments: [{ http: { path: '/charges' } }] }],
    },
    order: {
      type: 'array',
      items: { type: 'string' },
      description: 'Names of endpoints in the order in which they were called; others do not count.',
      examples: [['payments', 'shipping']],
    },
    deadLetters: {
      type: 'array',
      description: 'The messages, and the compensations, that were given up and kept in the store: the oldest first.',
      items: {
        type: 'object',
        properties: {
          type: { type: 'string', enum: ['message', 'undo'], description: 'A message, or what could not be undone.' },
          flow: { type: 'string', description: 'Its flow.' },
          code: { type: 'string', description: 'Code of the error.' },
          kind: { type: 'string', description: 'Kind of the error.' },
          place: { type: 'string', description: 'Name of the step, or its path.' },
          attempts: { type: 'integer', minimum: 0, description: 'How often it was tried.' },
          body: { any: true, description: 'The message, as a value.' },
        },
      },
    },
    compensations: {
      type: 'array',
      items: { type: 'string' },
      description: 'The steps that were undone, in the order of their undoing: their names, or paths.',
      examples: [['Ship it', 'Charge the card']],
    },
    breaker: {
      type: 'object',
      additionalProperties: { type: 'string', enum: ['closed', 'open', 'half-open'] },
      description: 'The state of the circuit breaker of endpoints.',
      examples: [{ inventory: 'open' }],
    },
    logs: {
      type: 'array',
      description: 'Lines that were logged, in this order; others may stand between them.',
      items: {
        type: 'object',
        properties: {
          level: { type: 'string', enum: ['debug', 'info', 'warn', 'error'], description: 'Its level.' },
          message: { type: 'string', description: 'Its text.' },
          fields: { type: 'object', any: true, description: 'Its fields; only those that are named are compared.' },
        },
      },
    },
    elapsed: {
      type: 'object',
      description: 'Virtual time from the first message to the last answer.',
      properties: {
        atLeast: { type: 'string', format: 'duration', description: 'Not less.', examples: ['1s'] },
        atMost: { type: 'string', format: 'duration', description: 'Not more.', examples: ['5s'] },
      },
    },
  },
} as const satisfies Schema;

const testSchema = {
  type: 'object',
  required: ['name', 'send', 'expect'],
  properties: {
    name: { type: 'string', description: 'What is promised, as a sentence.', examples: ['an order is charged once'] },
    now: moment,
    send: {
      either: [sendSchema, { type: 'array', items: sendSchema, minItems: 1 }],
      description: 'The message, or several: one after the other, each when the one before was answered.',
      examples: [{ flow: 'place-order', body: { orderId: 'A1' } }],
    },
    endpoints: endpointsSchema,
    expect: expectSchema,
  },
} as const satisfies Schema;

export const testFileSchema = {
  type: 'object',
  required: ['dowelTest', 'integration', 'tests'],
  properties: {
    dowelTest: {
      type: 'integer',
      minimum: 1,
      maximum: 1,
      description: 'Version of the language of tests.',
      examples: [1],
    },
    integration: {
      either: [
        { type: 'string', format: 'path' },
        { type: 'array', items: { type: 'string', format: 'path' }, minItems: 1 },
      ],
      description: 'The integration that is tested; of several, each with all tests.',
      examples: ['./integration.yaml'],
    },
    config: {
      type: 'object',
      additionalProperties: { any: true },
      description: 'Values of its `config` for these tests, secrets too. The environment has no say.',
      examples: [{ PAYMENTS_KEY: 'test' }],
    },
    now: moment,
    seed: {
      type: 'integer',
      minimum: 0,
      maximum: 4_294_967_295,
      default: 1,
      description: 'Where chance begins: jitter and ids are the same in every run.',
    },
    endpoints: { ...endpointsSchema, description: 'Answers of endpoints of which a test itself says nothing.' },
    tests: { type: 'array', items: testSchema, minItems: 1, description: 'The tests; none knows of another.' },
  },
} as const satisfies Schema;

export type TestFileSource = Infer<typeof testFileSchema>;
export type TestSource = Infer<typeof testSchema>;
export type AnswerSource = Infer<typeof answerSchema>;
export type EndpointsSource = Infer<typeof endpointsSchema>;
export type SendSource = Infer<typeof sendSchema>;
export type ExpectSource = Infer<typeof expectSchema>;
export type ReplySource = Infer<typeof replySchema>;
export type CallsSource = NonNullable<ExpectSource['calls']>[string];
