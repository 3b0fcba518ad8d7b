import { Body } from '../core/body.ts';
import { noHeaders } from '../core/exchange.ts';
import { failure } from '../errors.ts';
import { headersFrom, merged } from './parts/headers.ts';
import { defineStep } from './step.ts';

export const respond = defineStep({
  name: 'respond',
  pattern: 'Return Address',
  summary: 'Answers the caller and ends the flow.',
  options: {
    type: 'object',
    properties: {
      status: {
        type: 'integer',
        minimum: 200,
        maximum: 599,
        template: true,
        description: 'HTTP status. Default: 200.',
      },
      headers: {
        type: 'object',
        template: true,
        additionalProperties: { type: 'string' },
        description: 'Headers of the answer, beside those that `set` gave the message.',
      },
      body: { template: true, description: 'The answer: a value with `${{ }}` holes. Default: the body.' },
    },
  },
  compile(options, context) {
    if (!context.reply.possible) {
      context.report('', {
        code: 'nobody-awaits',
        at: 'key',
        message: `Nobody awaits this \`respond\`: ${context.reply.why}. Write \`stop: {}\` to end the flow here`,
        suggestion: 'stop',
      });
    }
    const status = options.status ? context.template(options.status) : undefined;
    const headers = options.headers ? context.template(options.headers) : undefined;
    const body = options.body ? context.template(options.body) : undefined;
    if (!body) context.body.take();
    return {
      ends: true,
      handler: async (exchange) => {
        const code = status ? await status(exchange) : 200;
        if (typeof code !== 'number' || !Number.isInteger(code) || code < 200 || code > 599) {
          throw failure('expression', { expression: 'status', detail: 'a status is an integer from 200 to 599' });
        }
        const given = headers ? headersFrom(await headers(exchange)) : noHeaders;
        const all = merged(exchange.ownHeaders, given);
        const answer = body ? Body.value(await body(exchange)) : exchange.body;
        return exchange.withReply({ status: code, headers: all }, answer.as(all['content-type']));
      },
    };
  },
});
