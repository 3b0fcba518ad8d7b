import type { Exchange } from './core/exchange.ts';
import type { Attributes } from './core/span.ts';
import type { ServerSource } from './core/written.ts';
import type { Failure } from './errors.ts';
import type { Incoming } from './sdk.ts';

/**
 * What spans say, in the semantic conventions of OpenTelemetry. Pure and quick, and it must not throw; no bodies, headers
 * or secrets. What is missing, spans say by the definition alone.
 */
export interface Telemetry {
  /** Of a source with these options. */
  readonly source?: (options: never, server: ServerSource) => SourceTelemetry;
  /** Of an endpoint with these options. */
  readonly endpoint?: (options: never) => EndpointTelemetry;
  /** Instead of both: where messages go through a broker or a queue. */
  readonly messaging?: MessagingTelemetry;
}

export interface MessagingTelemetry {
  /** `messaging.system`. */
  readonly system: string;
  /** Where the broker is: a URL, or `host:port`. */
  readonly broker?: (options: never) => string | undefined;
  /** Of a message that came: `facts` is `$source`. */
  readonly came: (facts: Readonly<Record<string, unknown>>, options: never) => Destination;
  /** Of one that is sent. */
  readonly went?: (operation: Readonly<Record<string, unknown>>, options: never) => Destination;
}

/** What is neither text nor a number nor true or false is left out, and empty text. */
export interface Destination {
  /** `messaging.destination.name`. */
  readonly name: unknown;
  /** One of few, for the name of the span, where the other may be one of many; empty: it has none. */
  readonly shortly?: unknown;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

export interface SourceTelemetry {
  /** `server`: its sender waits for the answer; `consumer`: a broker, queue or folder has kept it. */
  readonly kind: 'server' | 'consumer' | 'internal';
  readonly began: (message: Incoming) => SpanFacts;
  /** `status`: as the sender is told it. */
  readonly ended?: (status: number | undefined, error: Failure | undefined) => Attributes;
}

export interface EndpointTelemetry {
  /** `exchange`: with the operation of the call. */
  readonly began: (exchange: Exchange) => SpanFacts & { readonly kind: 'client' | 'producer' };
  readonly ended?: (answer: Exchange | undefined, error: Failure | undefined) => Attributes;
}

export interface SpanFacts {
  /** One of few: no ids. */
  readonly name: string;
  /** As those of a {@link Destination}. */
  readonly attributes: Readonly<Record<string, unknown>>;
}
