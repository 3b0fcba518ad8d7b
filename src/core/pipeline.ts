import type { Exchange, Handler } from './exchange.ts';

/** Pipes and Filters (EIP): one after the other, until one ends the flow by a reply or by `undefined`. */
export function sequence(handlers: readonly Handler[]): Handler {
  const [only] = handlers;
  if (only && handlers.length === 1) return only;
  return async (exchange) => {
    let current: Exchange = exchange;
    for (const handler of handlers) {
      current.life.check();
      const next = await handler(current);
      if (next === undefined || next.reply !== undefined) return next;
      current = next;
    }
    return current;
  };
}

/**
 * What `handler` does, or `recover` does when it fails. As an async function with a `try` would, at half the price: every
 * step of every message has one around it.
 */
export function recovered(
  handler: Handler,
  exchange: Exchange,
  recover: (thrown: unknown) => Promise<Exchange | undefined> | never,
): Promise<Exchange | undefined> {
  let done: Promise<Exchange | undefined>;
  try {
    done = handler(exchange);
  } catch (thrown) {
    done = Promise.reject(thrown);
  }
  return done.then(undefined, recover);
}

/** Runs `work` over `items`, at most `parallel` at a time, in order of their start; the first rejection ends it, once all that started have settled. */
export async function eachBounded<T>(
  items: readonly T[],
  parallel: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed: { readonly thrown: unknown } | undefined;
  const lane = async (): Promise<void> => {
    while (!failed && next < items.length) {
      const index = next++;
      try {
        await work(items[index] as T, index);
      } catch (thrown) {
        failed ??= { thrown };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, lane));
  if (failed) throw failed.thrown;
}
