import { Body } from '../core/body.ts';
import type { Exchange, Handler } from '../core/exchange.ts';
import type { Life } from '../core/life.ts';
import { failedVariable, gather, requireOption } from './parts/gather.ts';
import { defineStep } from './step.ts';

export const scatterGather = defineStep({
  name: 'scatterGather',
  pattern: 'Scatter-Gather',
  summary: 'Runs branches side by side and gathers what each yields.',
  options: {
    type: 'object',
    properties: {
      branches: {
        type: 'object',
        additionalProperties: { kind: 'steps' },
        description: 'Steps by name; each starts with the message as it is here and yields its last body.',
      },
      require: requireOption,
      deadline: {
        type: 'string',
        format: 'duration',
        description: 'For all branches together; late ones have failed.',
      },
      as: {
        type: 'string',
        format: 'name',
        description: 'Keeps the body and names the results: `$name.<branch>`. Without it their map becomes the body.',
      },
    },
    required: ['branches'],
  },
  compile(options, context) {
    const names = Object.keys(options.branches);
    if (names.length === 0) {
      context.report('branches', { code: 'empty', message: '`branches` needs at least one branch: `stock: [ … ]`' });
    }
    if (typeof options.require === 'number' && options.require > names.length) {
      context.report('require', {
        code: 'impossible',
        message: `${options.require} of ${names.length} branches can never succeed`,
        suggestion: String(names.length),
      });
    }
    if (names.includes('__proto__')) {
      context.report('branches', {
        code: 'bad-name',
        message: 'No branch can be called `__proto__`: give it another name',
      });
    }
    // A branch that makes no other body yields this one.
    context.body.look();
    const handlers = new Map(
      Object.entries(options.branches).map(([name, list]) => [
        name,
        context.steps(list, { scope: 'inner', noReply: 'a branch of `scatterGather` yields a value', repeated: true })
          .handler,
      ]),
    );
    if (options.as !== undefined) context.declare(options.as, 'as');
    else context.body.replace();
    context.provide('failed');
    const { as, require, deadline } = options;
    const unknown: Handler = async () => undefined;
    return async (exchange) => {
      const branch = (name: string, life: Life): Promise<unknown> =>
        (handlers.get(name) ?? unknown)(exchange.withLife(life, `${exchange.position}:${name}`)).then(yielded);
      const { results, failed } = await gather(names, branch, { require, life: exchange.life, deadline });
      const failures = failedVariable(failed);
      if (as !== undefined) {
        const named: Record<string, unknown> = { failed: failures };
        named[as] = results;
        return exchange.withVariables(named);
      }
      return exchange.withVariable('failed', failures).withBody(Body.value(results));
    };
  },
});

const yielded = (last: Exchange | undefined): unknown => last?.value();
