import { Body } from '../core/body.ts';
import type { Headers, Variables } from '../core/exchange.ts';
import { headersFrom } from './parts/headers.ts';
import { defineStep } from './step.ts';

export const set = defineStep({
  name: 'set',
  pattern: 'Content Enricher',
  summary: 'Sets the body, headers or variables; what it does not name stays.',
  options: {
    type: 'object',
    properties: {
      body: { template: true, description: 'The new body: a value with `${{ }}` holes.' },
      headers: {
        type: 'object',
        template: true,
        additionalProperties: { type: 'string' },
        description:
          'Headers by name. They travel on with calls and with the reply; a hole that yields nothing removes its header.',
      },
      variables: {
        type: 'object',
        template: true,
        additionalProperties: {},
        description:
          'Values by name, for later expressions: `total: ${{ $sum(items.price) }}` is `$total` from here on.',
      },
    },
  },
  compile(options, context) {
    const variables = options.variables ? context.template(options.variables) : undefined;
    const headers = options.headers ? context.template(options.headers) : undefined;
    const body = options.body ? context.template(options.body) : undefined;
    const named = options.variables?.value;
    if (typeof named === 'string') {
      context.report('variables', {
        code: 'unnamed',
        message: 'Variables are named one by one, `total: …`: what a message names, no expression could know',
      });
    }
    for (const name of typeof named === 'object' ? Object.keys(named ?? {}) : []) {
      context.declare(name, `variables/${name}`);
    }
    if (body) context.body.replace();
    // All three see the message as it was before the step, whatever their order in the file.
    return async (exchange) => {
      let next = exchange;
      if (variables) {
        next = next.withVariables((await variables(exchange)) as Variables);
      }
      if (headers) {
        const names = Object.keys((options.headers?.value as object | undefined) ?? {}).map((name) =>
          name.toLowerCase(),
        );
        const values = headersFrom(await headers(exchange));
        next = next.with({
          headers: replaced(exchange.headers, names, values),
          ownHeaders: replaced(exchange.ownHeaders, names, values),
        });
      }
      if (body) next = next.withBody(Body.value(await body(exchange)).as(next.ownHeaders['content-type']));
      return next;
    };
  },
});

function replaced(old: Headers, names: readonly string[], values: Headers): Headers {
  const next = Object.assign(Object.create(null), old) as Record<string, string | readonly string[]>;
  for (const name of names) delete next[name];
  return Object.assign(next, values);
}
