import type { Exchange, Handler } from '../core/exchange.ts';
import type { Telemetry } from '../telemetry.ts';
import type { EndpointContext, SourceContext } from './context.ts';
import type { ConnectorDefinition } from './definition.ts';
import type { Description } from './description.ts';
import type { Rehearsal } from './rehearsal.ts';

export interface Connector {
  readonly definition: ConnectorDefinition;
  readonly source?: () => Promise<{ readonly openSource: OpenSource }>;
  readonly endpoint?: () => Promise<{ readonly openEndpoint: OpenEndpoint }>;
  /** What it does besides the wire, for tests without one; absent: it only hands over what comes. */
  readonly rehearsal?: () => Promise<{ readonly rehearsal: Rehearsal }>;
  /** What spans of its messages and calls say; loaded only where traces are recorded. */
  readonly telemetry?: () => Promise<{ readonly telemetry: Telemetry }>;
  /** What documents about an integration say of it (OpenAPI, AsyncAPI); loaded when somebody asks for one. */
  readonly description?: () => Promise<{ readonly description: Description }>;
}

/** Where messages come in. Open = taking messages. */
export interface Source {
  /** The far side is connected and hands messages over; absent = always. While one is not, the process is not ready. */
  readonly ready?: boolean | undefined;
  /** Why it is not, without secrets. */
  readonly trouble?: string | undefined;
  /** How many messages wait in it, where it keeps them itself. */
  readonly queued?: number | undefined;
  /**
   * Where the source stays open while it is paused: takes nothing new until `resume`, those in flight go on. Absent:
   * whoever sends waits for an answer, and `deliver` rejects with `paused`.
   */
  pause?(): void;
  resume?(): void;
  /** Where the source itself decides when the flow runs: runs it now, by the same rules. */
  trigger?(): Trigger<Exchange | undefined>;
  /** Takes no new message from now on; those in flight go on. Idempotent. */
  stop(): Promise<void>;
  /** Everything is done: gives connections back. */
  close(): Promise<void>;
}

/** A run that a person asked for. */
export interface Trigger<T> {
  readonly tick: number;
  /** Of the message; `undefined`: it was not begun, because the last run is still going on. */
  readonly exchange: string | undefined;
  /** As `deliver` ends. */
  readonly ended: Promise<T>;
}

/** Where messages go out. */
export interface Endpoint {
  readonly handle: Handler;
  /** What is made of a call before the policies of the endpoint see it; throws the Failure that it is. Absent: nothing. */
  readonly prepare?: ((exchange: Exchange) => Exchange | Promise<Exchange>) | undefined;
  /** Its far side is connected; absent = nobody knows before a call. */
  readonly ready?: boolean;
  /** Why it is not, without secrets. */
  readonly trouble?: string | undefined;
  close(): Promise<void>;
}

export type OpenSource = (options: never, context: SourceContext) => Promise<Source>;

export type OpenEndpoint = (options: never, context: EndpointContext) => Promise<Endpoint>;
