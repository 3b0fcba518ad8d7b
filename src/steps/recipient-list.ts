import { Body } from '../core/body.ts';
import { failure } from '../errors.ts';
import { failedVariable, gather, requireOption } from './parts/gather.ts';
import { compileOutgoing, outgoingOptions, policiesElsewhere, tracked } from './parts/outgoing.ts';
import { defineStep } from './step.ts';

export const recipientList = defineStep({
  name: 'recipientList',
  pattern: 'Recipient List',
  summary: 'Calls the endpoints that an expression names, or sends to them, side by side.',
  options: {
    type: 'object',
    slot: 'call',
    elsewhere: policiesElsewhere,
    properties: {
      endpoints: {
        type: 'string',
        format: 'expression',
        description: 'JSONata that yields names under `endpoints:`, all of one connector.',
      },
      ...outgoingOptions,
      require: requireOption,
      parallel: { type: 'integer', minimum: 1, maximum: 100, default: 10, description: 'Calls at the same time.' },
      oneWay: {
        type: 'boolean',
        default: false,
        description:
          'Sends, as `send` does: no answer is asked or waited for, and the message goes on as it is. For events that several brokers or queues shall get.',
      },
      as: {
        type: 'string',
        format: 'name',
        description: 'Keeps the body and names the answers: `$name.<endpoint>`. Without it their map becomes the body.',
      },
    },
    required: ['endpoints'],
  },
  compile(options, context) {
    const names = context.expression(options.endpoints);
    const known = new Map(
      context
        .endpoints(options.connector?.name)
        .map((endpoint) => [
          endpoint.name,
          { endpoint, ask: tracked(endpoint, `${context.pointer}:${endpoint.name}`) },
        ]),
    );
    if (known.size === 0) {
      context.report(options.connector?.name ?? '', {
        code: 'no-endpoint',
        at: 'key',
        message: options.connector
          ? `No endpoint of the connector \`${options.connector.name}\` is declared under \`endpoints:\``
          : 'No endpoint is declared under `endpoints:`',
      });
    }
    context.body.look();
    const { as, require, parallel, oneWay } = options;
    const answered = !oneWay;
    const outgoing = compileOutgoing(options, context, { repeats: true, whole: answered, answered });
    if (as !== undefined) {
      if (oneWay) {
        context.report('as', {
          code: 'no-answer',
          at: 'key',
          message: 'With `oneWay: true` there are no answers to keep: drop `as`, or `oneWay`',
        });
      }
      context.declare(as, 'as');
    } else if (answered) context.body.replace();
    context.provide('failed');
    return async (exchange) => {
      const recipients = recipientNames(await names(exchange), known);
      const request = await outgoing(exchange);
      const { results, failed } = await gather(
        recipients,
        async (name, life) =>
          known.get(name)?.ask(request.withLife(life), (answer) => {
            if (answered) return known.get(name)?.endpoint.replies ? answer?.value() : null;
            answer?.body.discard();
            return null;
          }),
        { require, life: exchange.life, parallel },
      );
      const next = exchange.withVariable('failed', failedVariable(failed));
      if (oneWay) return next;
      return as === undefined ? next.withBody(Body.value(results)) : next.withVariable(as, results);
    };
  },
});

// The message may choose among the endpoints of the file, never name one of its own.
function recipientNames(
  value: unknown,
  known: ReadonlyMap<string, { readonly endpoint: { readonly connector: string } }>,
): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
  let connector: string | undefined;
  for (const name of list) {
    const found = typeof name === 'string' ? known.get(name) : undefined;
    if (!found || (connector !== undefined && found.endpoint.connector !== connector)) {
      throw failure('unknown-endpoint', { name: JSON.stringify(name) });
    }
    connector = found.endpoint.connector;
  }
  return [...new Set(list as readonly string[])];
}
