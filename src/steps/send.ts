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
import { defineStep } from './step.ts';

export const send = defineStep({
  name: 'send',
  pattern: 'Message Endpoint',
  summary:
    'Sends to an endpoint, one way; done when the far side has taken responsibility (2xx, confirm, written to disk).',
  options: {
    type: 'object',
    slot: 'call',
    elsewhere: policiesElsewhere,
    properties: {
      endpoint: { type: 'string', format: 'name', description: 'Name of the endpoint, under `endpoints:`.' },
      ...outgoingOptions,
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
    const outgoing = compileOutgoing(options, context, { repeats: endpoint?.repeats ?? false });
    if (!endpoint) return async (exchange) => exchange;
    const far = tracked(endpoint, context.pointer);
    return compensated(
      async (exchange) => {
        await far(await outgoing(exchange), (answer) => answer?.body.discard());
        return exchange;
      },
      options.compensate,
      context,
    );
  },
});
