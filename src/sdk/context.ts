import type { Clock } from '../core/clock.ts';
import type { Log, Services } from '../core/exchange.ts';
import type { Random } from '../core/random.ts';
import type { ExpressionSource, ServerSource } from '../core/written.ts';
import type { Failure } from '../errors.ts';
import type { SchemaFinding } from '../steps/step.ts';
import type { Endpoint, Source } from './connector.ts';
import type { ConnectorDefinition } from './definition.ts';
import type { Deliver, Incoming } from './message.ts';

export interface ConnectorContext {
  /** Of the flow (source) or of the endpoint, as the file calls it. */
  readonly name: string;
  readonly integration: { readonly name: string; readonly version: string | undefined };
  readonly server: ServerSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly services: Services;
  /**
   * One resource for all who ask with an equal `key`, across a reload too: made at the first, closed after the last.
   * Release by the returned function.
   */
  share<T extends { close(): Promise<void> }>(
    key: string,
    make: () => T,
  ): { readonly value: T; release(): Promise<void> };
  /** Compiles a JSON Schema; throws an Error with a readable message when it is none. */
  jsonSchema(schema: unknown): (value: unknown) => readonly SchemaFinding[];
  /** The queue in the store with this name; only where the definition says `queues`, and for endpoints that meet such a source. */
  queue(name: string): DurableQueue;
}

/** Messages that wait in the store: first in, first out, whatever happens to the process. */
export interface DurableQueue {
  /**
   * Resolves with the message's id once it is on disk. Rejects with `channel-full`, `too-large`, `overloaded`, or `store`
   * when it cannot be kept.
   */
  put(message: Incoming): Promise<string>;
  /** Hands what waits to the reader; what `deliver` resolves for is removed, what it rejects waits on. */
  read(reader: QueueReader): { stop(): void; close(): Promise<void> };
}

export interface QueueReader {
  readonly flow: string;
  readonly deliver: Deliver;
  /** How many messages are handed over at once. */
  readonly concurrency: number;
  /** The next one is handed over when the one before is settled. */
  readonly inOrder: boolean;
  /** How many messages may wait. */
  readonly capacity: number;
}

export interface SourceContext extends ConnectorContext {
  /** The flow: hands a message over and awaits; the settled promise is the reply and the acknowledgement. */
  readonly deliver: Deliver;
  /** The flow looks at the body somewhere: hand it over whole. Else a stream may be relayed. */
  readonly needsWholeBody: boolean;
  readonly concurrency: number | undefined;
  /** One message after the other: the flow wants neither `concurrency` nor lanes of its own (`orderBy`). */
  readonly inOrder: boolean;
  /** It is opened as paused; only where the definition says `staysOpen`. */
  readonly paused?: boolean;
  /** Makes one of the expressions that the source `asks` ready: what it yields where these are the variables. */
  readonly expression: (source: ExpressionSource) => (seen: Readonly<Record<string, unknown>>) => unknown;
  /** The source of the carrier (see {@link ConnectorDefinition.carrier}). */
  readonly openCarrier?: (options: unknown, deliver: Deliver, wording: Wording) => Promise<Source>;
  /** For a carrier: how the protocol above it words what no flow says. */
  readonly wording?: Wording;
}

/** How a protocol that another one carries words answers that are not a flow's own. */
export interface Wording {
  /** The status when the flow ended and had nothing to say. */
  readonly silent: number;
  error(error: Failure, request: { readonly id: string; readonly contentType: string | undefined }): WordedError;
}

export interface WordedError {
  readonly status: number;
  /** Raw pairs, the content type among them. */
  readonly headers: readonly string[];
  readonly text: string;
}

export interface EndpointContext extends ConnectorContext {
  /** The options of the source that the endpoint reaches inside this process (see `meetsAt`). */
  readonly meets?: unknown;
  readonly openCarrier?: (options: unknown) => Promise<Endpoint>;
}
