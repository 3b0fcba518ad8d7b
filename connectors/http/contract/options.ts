import type { Schema } from '#sdk';

const openapi = {
  type: 'string',
  format: 'openapi',
  description: 'An OpenAPI document (3.0 or 3.1, YAML or JSON), relative to this file.',
  examples: ['./api.yaml'],
} as const satisfies Schema;

const answers = { type: 'string', enum: ['refuse', 'warn', 'off'] } as const satisfies Schema;

export const sourceContract = {
  type: 'object',
  required: ['openapi', 'operation'],
  description:
    'The OpenAPI operation that is served: it gives path and method; requests that break it are answered 400 or 415 without the flow.',
  examples: [{ openapi: './api.yaml', operation: 'placeOrder' }],
  properties: {
    openapi,
    operation: {
      type: 'string',
      description: 'Its `operationId`, or method and path (`GET /orders`) where it has none.',
      examples: ['placeOrder'],
    },
    basePath: {
      type: 'string',
      pattern: '^/.*[^/]$',
      patternText: 'a path that begins with `/` and does not end with one',
      description: 'Stands before the path of the document; its `servers` are not looked at.',
      examples: ['/v2'],
    },
    answers: {
      ...answers,
      default: 'warn',
      description:
        'What becomes of an answer of the flow that breaks the contract: `warn` logs and counts it and lets it pass, `refuse` answers 500 in its place, `off` does not look. In tests `warn` is `refuse`.',
    },
  },
} as const satisfies Schema;

export const endpointContract = {
  type: 'object',
  required: ['openapi'],
  description:
    'The OpenAPI document of the service: calls name an `operation` of it, with `params`. Its `servers` are not looked at: where calls go says `url`.',
  examples: [{ openapi: './inventory.yaml' }],
  properties: {
    openapi,
    answers: {
      ...answers,
      default: 'refuse',
      description:
        'What becomes of an answer of the service that breaks the contract: `refuse` is the error `contract-answer`, `warn` logs and counts it and lets it pass, `off` does not look.',
    },
  },
} as const satisfies Schema;

export const callContract = {
  operation: {
    type: 'string',
    description:
      'An operation of the `contract` of the endpoint: it gives method and path, and says what `params`, body and answer are.',
    examples: ['getStock'],
  },
  params: {
    type: 'object',
    template: true,
    description:
      'Parameters of the `operation` by name, wherever its document puts them: path, query, header or cookie. A hole that yields nothing leaves one out.',
    examples: [{ sku: '${{ sku }}' }],
  },
} as const satisfies Record<string, Schema>;
