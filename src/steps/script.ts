import { Body } from '../core/body.ts';
import type { Exchange } from '../core/exchange.ts';
import type { Nature } from '../core/journal.ts';
import { customFailure, detailOf, Failure, failure, type Kind } from '../errors.ts';
import { defineStep } from './step.ts';

export const script = defineStep({
  name: 'script',
  pattern: 'Service Activator',
  summary: 'Calls a function of your own JavaScript or TypeScript module: the escape hatch to code.',
  options: {
    type: 'object',
    properties: {
      module: {
        type: 'string',
        format: 'file',
        description: 'Path of the module, relative to this file. TypeScript runs as it is (erasable syntax).',
        examples: ['./price.ts'],
      },
      export: { type: 'string', default: 'default', description: 'Name of the exported function.' },
      input: {
        template: true,
        description:
          'Its first argument. Default: the body. The second is `{ settings, bytes, headers, signal, log, id }`: `await bytes()` is the body as it came.',
      },
      settings: {
        type: 'object',
        additionalProperties: { type: 'string' },
        description:
          'What the function needs from outside, the same for every message, such as a key: `${NAME}` of `config`, secrets too.',
        examples: [{ signingKey: '${WEBHOOK_KEY}' }],
      },
      as: {
        type: 'string',
        format: 'name',
        description: 'Keeps the body and names the result: `$name`. Without it the result becomes the body.',
      },
    },
    required: ['module'],
  },
  compile(options, context) {
    const load = context.module(options.module.path, options.export);
    const input = options.input ? context.template(options.input) : undefined;
    const { as } = options;
    const settings = Object.freeze({ ...options.settings });
    if (!input) context.body.look();
    if (as !== undefined) context.declare(as, 'as');
    else context.body.replace();
    const compute = async (exchange: Exchange): Promise<unknown> => {
      const { life, services, id } = exchange;
      const argument = input ? await input(exchange) : await exchange.value();
      const tools = {
        settings,
        bytes: async (): Promise<Uint8Array> => {
          const bytes = await exchange.bytes();
          return typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
        },
        headers: exchange.headers,
        get signal(): AbortSignal {
          return life.signal;
        },
        log: services.log,
        id,
      };
      try {
        // A script that ignores the signal is left behind when the message is given up.
        return await life.race(Promise.resolve(load()(own(argument), tools)));
      } catch (thrown) {
        throw scriptFailure(thrown, options.module.path);
      }
    };
    return async (exchange) => {
      const { journal } = exchange.life;
      const computed = async (): Promise<Exchange> => exchange.withBody(Body.value(await compute(exchange)));
      const result = journal
        ? await (await journal.effect(exchange.position + context.pointer, exchange, computing, computed))?.value()
        : await compute(exchange);
      return as === undefined ? exchange.withBody(Body.value(result)) : exchange.withVariable(as, result);
    };
  },
});

/** Its result is kept; one that was under way when the process ended is computed again. */
const computing: Nature = { safe: true, repeatable: true };

/** A copy: a script may write into what it is given, and others see the same message. */
const own = (value: unknown): unknown => (typeof value === 'object' ? structuredClone(value) : value);

const kinds: readonly string[] = ['transient', 'permanent'] satisfies Kind[];

/** An error with `code` and `kind` keeps them, so that a script can take part in `catch` and redelivery. */
function scriptFailure(thrown: unknown, path: string): Failure {
  if (thrown instanceof Failure) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(detailOf(thrown));
  const { code, kind, status } = error as Error & { code?: unknown; kind?: unknown; status?: unknown };
  if (typeof code === 'string' && typeof kind === 'string' && kinds.includes(kind)) {
    const valid = typeof status === 'number' && status >= 400 && status <= 599;
    return customFailure(code, kind as Kind, valid ? status : kind === 'transient' ? 503 : 500, error.message);
  }
  return failure('script', { module: path.split('/').at(-1), detail: error.message }, { cause: thrown });
}
