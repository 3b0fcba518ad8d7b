import type { Exchange, Handler } from '../core/exchange.ts';
import { failure, toFailure } from '../errors.ts';
import { compensated, compensateOption } from './parts/compensate.ts';
import {
  checkCall,
  checkConnector,
  checkEvent,
  checkRepeat,
  checkUndo,
  compileOutgoing,
  outgoingOptions,
  policiesElsewhere,
  tracked,
} from './parts/outgoing.ts';
import { type Compiled, defineStep, type LaterBody } from './step.ts';

export const call = defineStep({
  name: 'call',
  pattern: 'Request-Reply',
  summary: 'Calls an endpoint and waits for its answer.',
  options: {
    type: 'object',
    slot: 'call',
    elsewhere: policiesElsewhere,
    properties: {
      endpoint: { type: 'string', format: 'name', description: 'Name of the endpoint, under `endpoints:`.' },
      ...outgoingOptions,
      as: {
        type: 'string',
        format: 'name',
        description: 'Keeps the body and names the answer: `$name`. Without it the answer becomes the message.',
      },
      fallback: {
        kind: 'steps',
        description: 'Runs instead when the call failed; sees `$error`. Its body stands for the answer.',
      },
      compensate: compensateOption,
    },
    required: ['endpoint'],
  },
  compile(options, context) {
    const endpoint = context.endpoint(options.endpoint, 'endpoint');
    checkConnector(endpoint, options.connector, context);
    checkCall(endpoint, options, context);
    checkEvent(endpoint, options.event, context);
    checkRepeat(endpoint, options, context);
    checkUndo(endpoint, options, context);
    if (endpoint && !endpoint.replies) {
      context.report('', {
        code: 'no-answer',
        at: 'key',
        message: `\`${endpoint.name}\` (${endpoint.connector}) gives no answer: use \`send\` instead of \`call\``,
        suggestion: 'send',
      });
    }
    const { as, fallback: instead } = options;
    let answered: LaterBody | undefined;
    const compileRequest = (): ReturnType<typeof compileOutgoing> => {
      const request = compileOutgoing(options, context, {
        repeats: endpoint?.repeats ?? false,
        whole: as !== undefined,
        answered: true,
      });
      if (as === undefined) answered = context.body.replace();
      return request;
    };
    const [outgoing, fallback] = context.attempt(
      compileRequest,
      instead && (() => context.steps(instead, { error: true })),
      as === undefined,
    );
    const far = endpoint ? tracked(endpoint, context.pointer) : unreachable;
    // Not an async function: a promise less for every call.
    const asked: Handler = (exchange) => {
      const take = (answer: Exchange | undefined): Exchange => {
        if (!answer) throw failure('bug', { detail: 'an endpoint that replies gave no answer' });
        if (answered?.piecewise) answer.body.allowRelay();
        // What the file set went out with the call; of the answer only what it looks at or relays goes on.
        return exchange.withAnswer(answer);
      };
      const request = outgoing(exchange);
      return request instanceof Promise ? request.then((one) => far(one, take)) : far(request, take);
    };
    const safe = fallback ? withFallback(asked, fallback) : asked;
    if (as === undefined) return compensated(safe, options.compensate, context);
    context.declare(as, 'as');
    const named: Handler = async (exchange) => {
      const answer = await safe(exchange);
      // A fallback may end the flow: by `respond`, `filter` or `stop`.
      if (!answer || answer.reply) return answer;
      return exchange.withVariable(as, await answer.value()).with({ response: answer.response });
    };
    return compensated(named, options.compensate, context);
  },
});

function withFallback(asked: Handler, fallback: Compiled): Handler {
  return async (exchange) => {
    try {
      return await asked(exchange);
    } catch (thrown) {
      const error = toFailure(thrown);
      if (exchange.life.aborted) throw error;
      return fallback.handler(exchange.with({ error }));
    }
  };
}

// Only an integration with findings has calls without an endpoint, and it never runs.
const unreachable: ReturnType<typeof tracked> = async (_exchange, take) => take(undefined);
