import type { Exchange } from './exchange.ts';

/** Runs what must be done though the message may be over (answering, cleaning up): then with a little time of its own. */
export async function withGrace<T>(exchange: Exchange, run: (exchange: Exchange) => Promise<T>): Promise<T> {
  if (!exchange.life.aborted) return run(exchange);
  const life = exchange.life.grace();
  try {
    return await run(exchange.withLife(life));
  } finally {
    // What is still being relayed by then may take longer.
    life.end();
  }
}
