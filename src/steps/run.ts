import { Body } from '../core/body.ts';
import { noHeaders, noVariables } from '../core/exchange.ts';
import { compensated, compensateOption } from './parts/compensate.ts';
import { defineStep } from './step.ts';

export const run = defineStep({
  name: 'run',
  pattern: 'Process Manager',
  summary:
    'Runs a sub-flow like a function: it sees the body it is given, and its last body (or `respond`) comes back.',
  options: {
    type: 'object',
    properties: {
      flow: { type: 'string', format: 'name', description: 'Name of a flow without `from`.' },
      body: { template: true, description: 'The body the sub-flow starts with. Default: the body.' },
      as: {
        type: 'string',
        format: 'name',
        description: 'Keeps the body and names the result: `$name`. Without it the result becomes the body.',
      },
      compensate: compensateOption,
    },
    required: ['flow'],
  },
  compile(options, context) {
    const flow = context.flow(options.flow, 'flow');
    const body = options.body ? context.template(options.body) : undefined;
    const { as } = options;
    // What the sub-flow does with the body is its own affair: it may look at it more than once.
    context.body.look();
    if (as !== undefined) context.declare(as, 'as');
    else context.body.replace();
    if (!flow) return async (exchange) => exchange;
    return compensated(
      async (exchange) => {
        const result = await flow(
          exchange.with({
            variables: noVariables,
            ownHeaders: noHeaders,
            response: undefined,
            body: body ? Body.value(await body(exchange)) : exchange.body,
          }),
        );
        const out = exchange.withBody(result?.body ?? Body.empty);
        return as === undefined ? out : exchange.withVariable(as, await out.value());
      },
      options.compensate,
      context,
    );
  },
});
