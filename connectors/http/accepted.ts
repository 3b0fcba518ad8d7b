import { failure, type Incoming, type SourceContext } from '#sdk';
import type { SourceOptions } from './definition.ts';

/** How many messages may wait where nothing is said. */
const usualCapacity = 100_000;

/** With lanes of its own a flow runs fewer than it gets, where many are for the same lane. */
const ahead = 20;

/** When a caller who met a paused flow may ask again. Milliseconds. */
const pausedMs = 30_000;

export interface Accepting {
  /** Resolves with the id of the message once it is on disk. */
  readonly put: (message: Incoming) => Promise<string>;
  /** Nothing more is accepted, and the flow gets nothing of what waits. */
  pause(): void;
  resume(): void;
  /** The flow gets no more; what waits is there at the next start. */
  stop(): void;
  close(): Promise<void>;
}

/** `reply: accepted`: between the caller and the flow stands a queue in the store. */
export function accept(options: SourceOptions, context: SourceContext): Accepting {
  const { name, deliver, inOrder, concurrency = 1 } = context;
  const queue = context.queue(`accepted:${name}`);
  const read = () =>
    queue.read({
      flow: name,
      deliver,
      inOrder,
      concurrency: inOrder ? 1 : Math.max(ahead, concurrency),
      capacity: options.capacity ?? usualCapacity,
    });
  let seat = context.paused ? undefined : read();
  let left: Promise<unknown> = Promise.resolve();
  const leave = (): void => {
    seat?.stop();
    left = Promise.all([left, seat?.close()]);
    seat = undefined;
  };
  // A shutdown waits until the caller knows.
  const put = (message: Incoming): Promise<string> => {
    const kept = queue.put(message);
    context.services.background(kept, `a message that ${name} accepts`);
    return kept;
  };
  const refuse = (): Promise<string> => Promise.reject(failure('paused', { flow: name, retryAfter: pausedMs }));
  let accepting = seat ? put : refuse;
  return {
    put: (message) => accepting(message),
    pause() {
      accepting = refuse;
      leave();
    },
    resume() {
      accepting = put;
      seat ??= read();
    },
    stop: () => seat?.stop(),
    async close() {
      leave();
      await left;
    },
  };
}
