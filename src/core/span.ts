import type { Trace } from './trace.ts';

/** What a span says about its place between processes, in the words of OpenTelemetry. */
export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/** By name, as the semantic conventions of OpenTelemetry call it; what is `undefined` is left out. No bodies, headers or secrets. */
export type Attributes = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** One piece of work of a trace, while it lasts. */
export interface Span {
  /** 16 hexadecimal digits. */
  readonly id: string;
  child(name: string, kind: SpanKind, attributes: Attributes): Span;
  set(attributes: Attributes): void;
  /** Spans of other messages that this one came of, each as `traceparent`. */
  link(traceparents: readonly string[]): void;
  /** `error`: the code of what it failed with. */
  end(error?: string): void;
}

/** Records what becomes of messages, passed in as the meter is; absent: nobody does. */
export interface Tracer {
  /** Whether spans of this trace are wanted: decided once for a message. */
  records(trace: Trace): boolean;
  /** The first span of a message here. */
  begin(trace: Trace, name: string, kind: SpanKind, attributes: Attributes): Span;
}
