/** `store:` of the file: where what outlives a message is kept. */
import type { Infer } from '../schema/infer.ts';
import type { Schema } from '../schema/schema.ts';

const timeout = {
  type: 'string',
  format: 'duration',
  minimum: 1,
  default: '5s',
  description: 'How long the server may take over one operation, connecting included.',
} as const satisfies Schema;

const sqliteOptions = {
  type: 'object',
  description: 'A file that this process alone uses: nothing to install, nothing to run.',
  properties: {
    path: {
      type: 'string',
      format: 'path',
      description:
        'The file; `<name of the integration>.dowel.db` beside the integration when absent. On a local disk, in a folder that can be written: SQLite keeps two more files beside it.',
      examples: ['/var/lib/dowel/orders.db'],
    },
  },
} as const satisfies Schema;

const memoryOptions = {
  type: 'object',
  description: 'Gone when the process ends: for tests, and where nothing must survive.',
  properties: {},
} as const satisfies Schema;

const redisOptions = {
  type: 'object',
  required: ['url'],
  description:
    'A Redis or Valkey server (6.2 or later), shared by all replicas of the integration. Needs `npm install --save-prod @redis/client@6`.',
  properties: {
    url: {
      type: 'string',
      format: 'uri',
      pattern: '^rediss?://',
      patternText: 'a URL that begins with `redis://` or, with TLS, `rediss://`',
      description: 'Where the server is; a number as path chooses the database.',
      examples: ['redis://redis.internal:6379/0'],
    },
    username: { type: 'string', description: 'User of the server’s access list; `default` when absent.' },
    password: {
      type: 'string',
      format: 'password',
      description: 'Password of that user.',
      examples: ['${REDIS_PASSWORD}'],
    },
    prefix: {
      type: 'string',
      pattern: '^[^{}\\s]+$',
      patternText: 'text without spaces and braces',
      description: 'What all keys begin with; `dowel:<name of the integration>` when absent.',
    },
    durability: {
      type: 'string',
      enum: ['always', 'server'],
      default: 'always',
      description:
        '`always`: starts only if the server has every write on its disk before it answers (`appendonly yes`, `appendfsync always`). `server`: whatever the server is set to; what it loses in a crash is lost.',
    },
    timeout,
  },
} as const satisfies Schema;

const postgresOptions = {
  type: 'object',
  required: ['url'],
  description:
    'A schema in a PostgreSQL database (12 or later), shared by all replicas of the integration. Needs `npm install --save-prod pg@8`.',
  properties: {
    url: {
      type: 'string',
      format: 'uri',
      pattern: '^postgres(ql)?://',
      patternText: 'a URL that begins with `postgresql://`',
      description: 'Server, database and user; `?sslmode=verify-full` for TLS.',
      examples: ['postgresql://dowel@db.internal:5432/dowel?sslmode=verify-full'],
    },
    password: {
      type: 'string',
      format: 'password',
      description: 'Password of the user in `url`.',
      examples: ['${DB_PASSWORD}'],
    },
    schema: {
      type: 'string',
      pattern: '^[a-z_][a-z0-9_]{0,62}$',
      patternText: 'a name of small letters, digits and `_`, at most 63 long',
      description:
        'The schema that holds the tables, made when it is not there; `dowel_<name of the integration>` when absent.',
      examples: ['dowel_orders'],
    },
    connections: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 10,
      description: 'Connections to the server at most.',
    },
    timeout,
  },
} as const satisfies Schema;

export const storeOptions = {
  type: 'object',
  oneKey: true,
  description:
    'Where idempotency keys, sagas, dead letters, durable channels and aggregates are kept: exactly one of the four. An SQLite file when absent; opened only when a flow needs it.',
  properties: {
    sqlite: sqliteOptions,
    memory: memoryOptions,
    redis: redisOptions,
    postgres: postgresOptions,
  },
  examples: [{ sqlite: { path: '/var/lib/dowel/orders.db' } }],
} as const satisfies Schema;

export type StoreOptions = Infer<typeof storeOptions>;
export type SqliteOptions = Infer<typeof sqliteOptions>;
export type RedisOptions = Infer<typeof redisOptions>;
export type PostgresOptions = Infer<typeof postgresOptions>;
