import { Body } from '../core/body.ts';
import type { Handler } from '../core/exchange.ts';
import { joinRecord, keptBody, splitRecord } from '../core/record.ts';
import { failure } from '../errors.ts';
import type { Infer } from '../schema/infer.ts';
import { limits } from '../store/store.ts';
import { hashed, keyText } from './parts/key.ts';
import { storedFor } from './parts/options.ts';
import { type CompileContext, defineStep } from './step.ts';

const space = 'claim';

const retain = {
  ...storedFor,
  default: '24h',
  description: 'How long it is kept.',
} as const;

const store = {
  type: 'object',
  description: 'Puts the body away, as it is.',
  properties: {
    key: {
      type: 'string',
      format: 'expression',
      description:
        'The claim; what was kept under it is replaced. Default: one that nobody can guess, new for each message.',
      examples: ['orderId'],
    },
    retain,
    as: {
      type: 'string',
      format: 'name',
      description:
        'Keeps the body and names `{ claim, contentType, size }`: `$name`. Without it that becomes the body.',
    },
  },
} as const;

const fetch = {
  type: 'object',
  description: 'Brings it back.',
  properties: {
    key: {
      type: 'string',
      format: 'expression',
      description: 'The claim. One that nothing is kept under is the error `no-claim`.',
      examples: ['claim'],
    },
    as: {
      type: 'string',
      format: 'name',
      description: 'Keeps the body and names what was kept: `$name`. Without it that becomes the body.',
    },
  },
  required: ['key'],
} as const;

interface Stored {
  readonly contentType: string | undefined;
}

export const claimCheck = defineStep({
  name: 'claimCheck',
  pattern: 'Claim Check',
  summary: 'Puts a large body away and lets a small claim travel in its place; brings it back where it is needed.',
  options: {
    type: 'object',
    oneKey: true,
    properties: { store, fetch },
  },
  compile(options, context) {
    if (options.store) return compileStore(options.store, context);
    if (options.fetch) return compileFetch(options.fetch, context);
    // Only an integration with findings has neither, and it never runs.
    return async (exchange) => exchange;
  },
});

function compileStore(options: Infer<typeof store>, context: CompileContext): Handler {
  const key = options.key && context.expression(options.key);
  const { as } = options;
  const open = context.store();
  context.body.look();
  if (as === undefined) context.body.replace();
  else context.declare(as, 'store/as');
  return async (exchange) => {
    const { codec, random } = exchange.services;
    const { journal } = exchange.life;
    const claim = key
      ? keyGiven(await key(exchange), options.key?.text)
      : (journal?.uuid(exchange.position) ?? random.uuid());
    const bytes = await exchange.bytes();
    const contentType = exchange.body.wireType(codec);
    const value = joinRecord({ contentType } satisfies Stored, bytes);
    const size = Buffer.byteLength(bytes);
    if (value.byteLength > limits.value) {
      const detail = `a body of ${size} bytes; a claim check keeps at most ${limits.value}`;
      throw failure('store-limit', { detail });
    }
    await open().write([{ op: 'put', space, key: hashed(claim), value, ttl: options.retain }]);
    const ticket = { claim, ...(contentType === undefined ? {} : { contentType }), size };
    return as === undefined ? exchange.withBody(Body.value(ticket)) : exchange.withVariable(as, ticket);
  };
}

function compileFetch(options: Infer<typeof fetch>, context: CompileContext): Handler {
  const key = context.expression(options.key);
  const { as } = options;
  const open = context.store();
  if (as === undefined) context.body.replace();
  else context.declare(as, 'fetch/as');
  return async (exchange) => {
    const claim = keyGiven(await key(exchange), options.key.text);
    const entry = await open().get(space, hashed(claim));
    if (!entry) throw failure('no-claim');
    const { head, body } = splitRecord(entry.value);
    const fetched = exchange.withBody(keptBody(body, (head as Stored).contentType));
    return as === undefined ? fetched : exchange.withVariable(as, await fetched.value());
  };
}

function keyGiven(value: unknown, expression: string | undefined): string {
  const text = keyText(value);
  if (text === undefined) throw failure('no-key', { expression });
  return text;
}
