import { defineStep } from './step.ts';

export const stop = defineStep({
  name: 'stop',
  summary: 'Ends the flow here, acknowledged: nothing is said to the caller (HTTP 204).',
  options: { type: 'object', properties: {} },
  compile: () => ({ ends: true, handler: async () => undefined }),
});
