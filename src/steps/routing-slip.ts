import { Body } from '../core/body.ts';
import { type Exchange, type Handler, noHeaders, noVariables } from '../core/exchange.ts';
import { failure } from '../errors.ts';
import { defineStep } from './step.ts';

/** What a message names, somebody outside may have written: it must not keep the flow busy for ever. */
const mostVisits = 100;

export const routingSlip = defineStep({
  name: 'routingSlip',
  pattern: 'Routing Slip',
  summary:
    'Runs sub-flows one after the other, in the order that an expression names; the body of each goes into the next.',
  options: {
    type: 'object',
    properties: {
      flows: {
        type: 'string',
        format: 'expression',
        description: `JSONata that yields the names, at most ${mostVisits}; nothing is an empty list. A name that is not among \`among\` is the error \`unknown-flow\`.`,
        examples: ['$headers."x-route"', 'plan.steps'],
      },
      among: {
        type: 'array',
        minItems: 1,
        items: { type: 'string', format: 'name' },
        description: 'The flows that a message may name: sub-flows of this file, those without `from`.',
        examples: [['checkCredit', 'addTax']],
      },
    },
    required: ['flows', 'among'],
  },
  compile(options, context) {
    const names = context.expression(options.flows);
    const known = new Map<string, Handler>();
    options.among.forEach((name, index) => {
      const repeated = known.has(name);
      if (repeated) context.report(`among/${index}`, { code: 'twice', message: `\`${name}\` stands here twice` });
      const flow = repeated ? undefined : context.flow(name, `among/${index}`);
      if (flow) known.set(name, flow);
    });
    // What the sub-flows do with the body is their own affair: they may look at it more than once.
    context.body.look();
    context.body.replace();
    return async (exchange) => {
      let current: Exchange = exchange;
      let visit = 0;
      for (const flow of slipOf(await names(exchange), known)) {
        current.life.check();
        const end = await flow(
          current.with({
            variables: noVariables,
            ownHeaders: noHeaders,
            response: undefined,
            position: `${exchange.position}[${visit++}]`,
          }),
        );
        current = exchange.withBody(end?.body ?? Body.empty);
        // `filter` or `stop`: the message goes no further.
        if (!end) break;
      }
      return current;
    };
  },
});

// All before the first one runs: a slip with a misspelt name is not followed half way.
function slipOf(value: unknown, known: ReadonlyMap<string, Handler>): readonly Handler[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
  if (list.length > mostVisits) {
    throw failure('validation', {
      detail: `the routing slip names ${list.length} flows; at most ${mostVisits} are run`,
    });
  }
  return list.map((name) => {
    const flow = typeof name === 'string' ? known.get(name) : undefined;
    if (!flow) throw failure('unknown-flow', { name: JSON.stringify(name), among: [...known.keys()] });
    return flow;
  });
}
