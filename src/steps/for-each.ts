import { Body } from '../core/body.ts';
import { type Exchange, noHeaders } from '../core/exchange.ts';
import { Life } from '../core/life.ts';
import { eachBounded } from '../core/pipeline.ts';
import { failure, toFailure } from '../errors.ts';
import { defineStep } from './step.ts';

export const forEach = defineStep({
  name: 'forEach',
  pattern: 'Splitter, Composed Message Processor',
  summary: 'Runs its steps for each element of a list and collects the results in the order of the list.',
  options: {
    type: 'object',
    properties: {
      items: {
        type: 'string',
        format: 'expression',
        description: 'JSONata that yields the list; a single value is a list of one, nothing is an empty list.',
      },
      as: {
        type: 'string',
        format: 'name',
        description: 'Names the element inside: `$name`. It is the body there anyway.',
      },
      steps: { kind: 'steps', description: 'One round; the element is its body.' },
      parallel: { type: 'integer', minimum: 1, maximum: 1000, default: 1, description: 'Rounds at the same time.' },
      collect: {
        type: 'string',
        format: 'expression',
        description: "What a round yields, seen from its end. Default: the round's last body.",
      },
      into: {
        type: 'string',
        format: 'name',
        description: 'Keeps the body and names the list of results: `$name`. Without it the list becomes the body.',
      },
      onError: {
        type: 'string',
        enum: ['fail', 'skip'],
        default: 'fail',
        description:
          '`fail`: the first error ends the message. `skip`: the round is left out, and a warning is logged.',
      },
    },
    required: ['items', 'steps'],
  },
  compile(options, context) {
    const items = context.expression(options.items);
    const inside = options.as === undefined ? [] : [options.as];
    let round: ReturnType<typeof context.steps> | undefined;
    let collect: ReturnType<typeof context.expression> | undefined;
    context.inner(inside, () => {
      if (options.as !== undefined) context.declare(options.as, 'as');
      round = context.steps(options.steps, { noReply: 'a round of `forEach` yields a value', repeated: true });
      collect = options.collect ? context.expression(options.collect) : undefined;
    });
    if (options.into !== undefined) context.declare(options.into, 'into');
    else context.body.replace();
    const { as, into, parallel, onError } = options;
    return async (exchange) => {
      const list = asList(await items(exchange));
      const life = new Life(exchange.life.clock, { parent: exchange.life });
      const results: { readonly value: unknown }[] = new Array(list.length);
      const one = async (element: unknown, index: number): Promise<void> => {
        life.check();
        const position = `${exchange.position}[${index}]`;
        const start = exchange.with({ life, position, body: Body.value(element), ownHeaders: noHeaders });
        try {
          const end = await round?.handler(as === undefined ? start : start.withVariable(as, element));
          // `filter` and `stop` end the round: its element yields nothing.
          if (end) results[index] = { value: await yielded(end) };
        } catch (thrown) {
          const error = toFailure(thrown);
          if (onError === 'fail' || life.aborted) throw error;
          exchange.services.log.warn('a round of forEach failed and was skipped', {
            ...exchange.named,
            place: error.place ?? context.title,
            index,
            code: error.code,
          });
        }
      };
      const yielded = (end: Exchange): unknown => (collect ? collect(end) : end.value());
      try {
        await eachBounded(list, parallel, async (element, index) => {
          try {
            await one(element, index);
          } catch (thrown) {
            life.abort(failure('aborted', { detail: 'another round had failed' }, { cause: thrown }));
            throw thrown;
          }
        });
      } finally {
        life.end();
      }
      const collected = results
        .filter((result) => result !== undefined && result.value !== undefined)
        .map((r) => r.value);
      return into === undefined ? exchange.withBody(Body.value(collected)) : exchange.withVariable(into, collected);
    };
  },
});

const asList = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value];
