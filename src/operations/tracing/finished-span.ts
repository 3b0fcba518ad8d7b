import type { Attributes, SpanKind } from '../../core/span.ts';

/** A span that has ended, as it waits to be exported. Times are milliseconds since the epoch, with a fraction. */
export interface FinishedSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parent: string | undefined;
  /** The parent is another process's. */
  readonly remoteParent: boolean;
  readonly state: string | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  readonly links: readonly SpanLink[];
  /** The code of what it failed with. */
  readonly error: string | undefined;
}

/** A span of another message. */
export interface SpanLink {
  readonly traceId: string;
  readonly id: string;
}

/** What all spans of a process have in common. */
export interface SpansOrigin {
  /** Of the OpenTelemetry resource. */
  readonly resource: Attributes;
  /** Who made the spans. */
  readonly scope: { readonly name: string; readonly version: string };
}

/** Numbers of the kinds on the wire (opentelemetry/proto/trace/v1/trace.proto). */
export const kindNumbers: Readonly<Record<SpanKind, number>> = {
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
};

export const statusError = 2;

/** Sampled; whether the parent is remote is known; it is. */
const [sampled, knowsRemote, isRemote] = [0x1, 0x100, 0x200] as const;

/** Whatever is linked was recorded by a process of this integration; by which, nobody remembers. */
export const linkFlags = sampled;

export const flagsOf = ({ remoteParent }: FinishedSpan): number =>
  sampled | knowsRemote | (remoteParent ? isRemote : 0);

/** A double cannot hold the nanoseconds since the epoch. */
export function nanoseconds(ms: number): bigint {
  const whole = Math.floor(ms);
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6));
}
