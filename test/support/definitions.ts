import type { ConnectorDefinition } from '#sdk';

const call = {
  type: 'object',
  properties: {
    path: { type: 'string', template: 'path', description: 'Path.' },
    what: { template: true, description: 'Anything.' },
  },
} as const;

/** Has `get` where nothing is changed at the far side. */
const isSafe = (operation: unknown): boolean =>
  String((operation as { readonly path?: unknown } | undefined)?.path ?? '').startsWith('get');

/** A `put` may be done twice. */
const isIdempotent = (operation: unknown): boolean =>
  /^(get|put)/.test(String((operation as { readonly path?: unknown } | undefined)?.path ?? ''));

const world = {
  type: 'object',
  properties: { name: { type: 'string', description: 'Unused.' } },
} as const;

/** The two connectors of tests: `test` (its source awaits a reply, its endpoint answers) and `oneway` (neither). */
export const definitions = {
  test: {
    name: 'test',
    summary: 'The test itself.',
    source: world,
    endpoint: world,
    call,
    replies: true,
    awaitsReply: true,
    writesTrace: true,
    provides: ['params', 'query'],
    safe: isSafe,
    idempotent: isIdempotent,
  },
  oneway: {
    name: 'oneway',
    summary: 'The test itself, one way.',
    source: world,
    endpoint: world,
    call,
    writesTrace: true,
  },
} satisfies Record<string, ConnectorDefinition>;
