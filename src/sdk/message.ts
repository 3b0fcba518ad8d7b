import type { Body } from '../core/body.ts';
import type { Exchange, Headers, Origin } from '../core/exchange.ts';
import type { Life } from '../core/life.ts';

/** A message as its source received it. */
export interface Incoming {
  readonly body: Body;
  readonly headers: Headers;
  readonly origin: Origin;
  /** What the message is called outside already: it becomes the id of the exchange. */
  readonly id?: string | undefined;
  /** The same when the source hands the message over again, after it was not acknowledged: a durable flow goes on with it. */
  readonly key?: string | undefined;
  /** Messages of one lane are worked on one after the other, in this order, where the flow has no `orderBy` (Kafka: the partition). */
  readonly lane?: string | undefined;
  /** Spans of the messages that it came of, each as `traceparent`, where traces are recorded. */
  readonly links?: readonly string[] | undefined;
  /** Milliseconds that the sender still waits (`x-request-deadline-ms`). */
  readonly deadline?: number | undefined;
  /** Called with the life of the message, before the flow starts: to cancel when the sender goes away. */
  readonly onStart?: (life: Life, id: string) => void;
}

/**
 * Resolves with the exchange at the flow's end, or `undefined` (nothing to say); rejects with a Failure.
 *
 * For a source that `settles`: resolved = acknowledge; the message was done, or is safe where dead letters are kept.
 * Rejected = the far side keeps it: with `postponed` it is to come again after `facts.ms` milliseconds, as attempt
 * `facts.attempt` (only where the connector `postpones`); with any other (the process stops) at once, and no attempt is
 * counted. Waits for its turn where `concurrency` or the lane say so, so that a source only has to bound how many it has
 * handed over. Never throws: what it has to say comes by the promise.
 */
export type Deliver = (message: Incoming) => Promise<Exchange | undefined>;
