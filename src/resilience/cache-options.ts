import type { Infer } from '../schema/infer.ts';
import type { Schema } from '../schema/schema.ts';

export const cacheOptions = {
  type: 'object',
  description:
    'Keeps the answers of calls that change nothing (GET, HEAD) in memory, as long as they say that they are good (`Cache-Control`, `Expires`). Errors are never kept.',
  properties: {
    ttl: {
      type: 'string',
      format: 'duration',
      minimum: 1,
      description:
        'How long an answer is good that says nothing itself. Absent: it is asked each time whether it still is, where it has an `ETag` or `Last-Modified`.',
      examples: ['30s'],
    },
    staleIfError: {
      type: 'string',
      format: 'duration',
      default: '0s',
      description: 'So much longer an old answer is used when the call fails for a moment (`transient`, `rejected`).',
    },
    headers: {
      type: 'array',
      items: { type: 'string' },
      description:
        'Headers of the call that make another answer. Default: all that the file sets, but for those that only name the call (`x-request-id`, `traceparent` …). What `Vary` names counts anyway.',
      examples: [['accept-language']],
    },
    maxEntries: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      default: 1000,
      description: 'Answers kept; the one that was not asked for for longest goes first.',
    },
    maxSize: { type: 'string', format: 'size', default: '64mb', description: 'All answers together.' },
    maxAnswer: {
      type: 'string',
      format: 'size',
      default: '1mb',
      description: 'A larger answer is passed on, and not kept.',
    },
  },
} as const satisfies Schema;

export type CacheOptions = Infer<typeof cacheOptions>;
