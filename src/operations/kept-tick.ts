import { executionAsyncResource } from 'node:async_hooks';

/**
 * What Node makes for a `process.nextTick`, and never gives away. When none of these objects is left at a full collection,
 * V8 forgets what they look like, and from then on makes each of them the slow way: a process that was idle for a moment
 * pays 450 ns instead of 60 for each, about ten times a request. As long as one lives, that does not happen.
 * docs/performance.md says how it was measured.
 */
export const keptTick: Promise<object> = new Promise((resolve) => {
  process.nextTick(() => resolve(executionAsyncResource()));
});
