import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { PlainContext } from './plain-context.ts';

/** A name that no other test has. */
export const freshName = (prefix: string): string => `${prefix}${randomUUID().slice(0, 8)}`;

export interface Opened<T> {
  readonly it: T;
  readonly context: PlainContext;
}

/** A source or an endpoint, closed when the test ends. */
export async function opened<T extends { close(): Promise<void> }>(
  t: TestContext,
  context: PlainContext,
  open: (context: PlainContext) => Promise<T>,
): Promise<Opened<T>> {
  const it = await open(context);
  t.after(() => it.close());
  return { it, context };
}
