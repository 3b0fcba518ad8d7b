import type { Schema } from '#sdk';

const url = {
  type: 'string',
  format: 'uri',
  description: 'Where it is.',
  examples: ['http://a.example:9101'],
} as const satisfies Schema;

/** The options of an endpoint that has several targets, or one whose name has several addresses. */
export const targetsOptions = {
  urls: {
    type: 'array',
    minItems: 1,
    description:
      'Several targets that do the same, instead of `url`: each a URL, or a map of `url`, `name` (for the `target` of calls, and the log) and `weight`. The path of a call is joined to that of the target that takes it.',
    examples: [['http://a.example:9101', 'http://b.example:9101']],
    items: {
      either: [
        { type: 'string', format: 'uri' },
        {
          type: 'object',
          required: ['url'],
          properties: {
            name: {
              type: 'string',
              format: 'name',
              description: 'How the `target` of a call names it, and the log.',
              examples: ['stable', 'canary'],
            },
            url,
            weight: {
              type: 'integer',
              minimum: 0,
              maximum: 1_000_000,
              description:
                'Its part of the calls under `loadBalance: weighted`, 1 when absent. 0: only calls that name it.',
              examples: [95],
            },
          },
        },
      ],
    },
  },
  loadBalance: {
    type: 'string',
    enum: ['roundRobin', 'leastPending', 'weighted', 'failover'],
    default: 'roundRobin',
    description:
      'Who takes a call: each in its turn; who has the fewest under way; by `weight`; or the first in order that is healthy.',
  },
  ejection: {
    type: 'object',
    description:
      'A target that refuses connections, or fails several times in a row, gets no calls for a while; each time it fails again, for longer.',
    properties: {
      failures: {
        type: 'integer',
        minimum: 1,
        maximum: 1000,
        default: 5,
        description:
          'So many failures in a row (5xx, timeouts, broken connections) eject it; one refused connection does.',
      },
      pause: {
        type: 'string',
        format: 'duration',
        minimum: 1,
        default: '1s',
        description: 'The first pause. It doubles each time, less a random part of up to a half.',
      },
      maxPause: { type: 'string', format: 'duration', minimum: 1, default: '1m', description: 'The longest pause.' },
    },
  },
  healthCheck: {
    type: 'object',
    required: ['path'],
    description:
      'Asks every target how it is, beside the calls: one that does not answer 2xx gets no calls until it does.',
    properties: {
      path: {
        type: 'string',
        pattern: '^/',
        patternText: 'a path that begins with `/`',
        description: 'What is fetched (GET), joined to the path of each URL.',
        examples: ['/health'],
      },
      every: { type: 'string', format: 'duration', minimum: 100, default: '10s', description: 'How often.' },
      timeout: { type: 'string', format: 'duration', minimum: 1, default: '2s', description: 'For one answer.' },
    },
  },
  dns: {
    type: 'object',
    description:
      'Makes each address that a name has a target of its own, and looks again and again, so that instances come and go. Absent: a name is one target, resolved for each new connection.',
    properties: {
      records: {
        type: 'string',
        enum: ['address', 'srv'],
        default: 'address',
        description:
          '`srv`: the host in the URL is the name of SRV records, which say host, port, priority and weight (RFC 2782).',
      },
      every: { type: 'string', format: 'duration', minimum: 100, default: '30s', description: 'How often to look.' },
    },
  },
} as const satisfies Readonly<Record<string, Schema>>;
