import type { Incoming, SourceContext } from '#sdk';
import type { SourceOptions } from './definition.ts';

/** How many messages may wait where nothing is said. */
const usualCapacity = 100_000;

/** With lanes of its own a flow runs fewer than it gets, where many are for the same lane. */
const ahead = 20;

export interface Accepting {
  /** Resolves with the id of the message once it is on disk. */
  readonly put: (message: Incoming) => Promise<string>;
  /** The flow gets no more; what waits is there at the next start. */
  stop(): void;
  close(): Promise<void>;
}

/** `reply: accepted`: between the caller and the flow stands a queue in the store. */
export function accept(options: SourceOptions, context: SourceContext): Accepting {
  const { name, deliver, inOrder, concurrency = 1 } = context;
  const queue = context.queue(`accepted:${name}`);
  const seat = queue.read({
    flow: name,
    deliver,
    inOrder,
    concurrency: inOrder ? 1 : Math.max(ahead, concurrency),
    capacity: options.capacity ?? usualCapacity,
  });
  // A shutdown waits until the caller knows.
  const put = (message: Incoming): Promise<string> => {
    const kept = queue.put(message);
    context.services.background(kept, `a message that ${name} accepts`);
    return kept;
  };
  return { put, stop: () => seat.stop(), close: () => seat.close() };
}
