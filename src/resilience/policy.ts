import type { Handler } from '../core/exchange.ts';
import type { EndpointSource } from '../core/written.ts';
import { failure } from '../errors.ts';
import { withLimit } from './timeout.ts';

/** What surrounds the calls of an endpoint. */
export type Policy = (next: Handler) => Handler;

/** One attempt may take this long where the endpoint says nothing else. */
export const defaultTimeout = 30_000;

/** The policies of an endpoint, in their one order, outside in: deadline ▸ timeout. */
export function policies(endpoint: EndpointSource): Policy {
  const { name, deadline, timeout = defaultTimeout } = endpoint;
  const inner = withLimit(timeout, () => failure('timeout', { endpoint: name, ms: timeout }));
  if (deadline === undefined) return inner;
  const outer = withLimit(deadline, () => failure('timeout', { endpoint: name, ms: deadline }));
  return (next) => outer(inner(next));
}
