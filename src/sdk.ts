/**
 * The only door for connectors: everything a connector may use stands here, and it imports nothing else from Dowel.
 * One connector = one folder: `definition.ts` (data only), `source.ts` and `endpoint.ts`, loaded when an integration
 * uses them.
 */

import type { Body } from './core/body.ts';
import type { Clock } from './core/clock.ts';
import type { Contract } from './core/contract.ts';
import type { Exchange, Handler, Headers, Log, Origin, Services } from './core/exchange.ts';
import type { Life } from './core/life.ts';
import type { Random } from './core/random.ts';
import type { ExpressionSource, ServerSource } from './core/written.ts';
import type { Failure } from './errors.ts';
import type { EventBinding } from './events/options.ts';
import type { Schema, Slot } from './schema/schema.ts';
import type { Telemetry } from './telemetry.ts';
import type { SchemaFinding, WrittenCall } from './steps/step.ts';

export { backoff, pauseBound } from './core/backoff.ts';
export { Body, type Codec, type StreamSource } from './core/body.ts';
export { BoundedCache } from './core/bounded-cache.ts';
export { type Clock, sleep } from './core/clock.ts';
export {
  type Contract,
  type ContractAnswer,
  type ContractContent,
  type ContractHeader,
  type ContractOperation,
  type ContractParameter,
  type Direction,
  refName,
  wholeSchema,
} from './core/contract.ts';
export { Dropped } from './core/dropped.ts';
export { type Exchange, type Handler, type Headers, type Log, noHeaders, type Origin } from './core/exchange.ts';
export { type Identity, tokenOf, withToken } from './core/identity.ts';
export type { Life } from './core/life.ts';
export { Link, type LinkPlan, type LinkWorld, type Trouble } from './core/link.ts';
export { certificateWords, networkWords } from './core/network-words.ts';
export { once } from './core/once.ts';
export { optionalPackage } from './core/optional-package.ts';
export type { Random } from './core/random.ts';
export { Refrain, type RefrainLine } from './core/refrain.ts';
export { socketTrouble } from './core/socket-trouble.ts';
export type { Attributes } from './core/span.ts';
export { TokenBucket } from './core/token-bucket.ts';
export { Trace } from './core/trace.ts';
export type { ExpressionSource, OpenApiSource, Rate, ServerSource } from './core/written.ts';
export { customFailure, Failure, failure, httpFailure, toFailure } from './errors.ts';
export { type ContentType, parseContentType } from './format/content-type.ts';
export { writeXml, type XmlOptions, xmlOptions, xmlReader } from './format/xml.ts';
export type { Infer } from './schema/infer.ts';
export { nearest } from './schema/nearest.ts';
export type { Schema, Slot } from './schema/schema.ts';
export { tlsProperties } from './schema/tls-options.ts';
export type {
  Destination,
  EndpointTelemetry,
  MessagingTelemetry,
  SourceTelemetry,
  SpanFacts,
  Telemetry,
} from './telemetry.ts';
export type { SchemaFinding, WrittenCall } from './steps/step.ts';

/** What a connector is, as data. Each schema is that of an object; the descriptions become the reference. */
export interface ConnectorDefinition {
  /** The key in the file. */
  readonly name: string;
  readonly summary: string;
  /** `from: { <name>: … }`; absent = no source. */
  readonly source?: Schema;
  /** `endpoints.x: { <name>: … }`: the connection; absent = no endpoint. */
  readonly endpoint?: Schema;
  /** `call: { endpoint: x, <name>: … }`: one operation; its fields may be templates. */
  readonly call?: Schema;
  /**
   * An endpoint's call is answered; without it takes `send` only. Where it takes both, the operation of a call has
   * `answered: true`.
   */
  readonly replies?: boolean;
  /** Whoever sends to the source waits for an answer: `respond` is possible. May depend on the options of the source. */
  readonly awaitsReply?: boolean | ((options: unknown) => boolean);
  /** Where that depends on the options: why nobody waits, for the message about a `respond`. */
  readonly unanswered?: string;
  /**
   * Messages of the source wait at the far side until they are acknowledged: the flow may say `redelivery`, `deadLetter`
   * and `orderBy`, and what `deliver` rejects with is only what concerns the source (see {@link Deliver}). May depend on
   * the options of the source.
   */
  readonly settles?: boolean | ((options: unknown) => boolean);
  /** With these options the source keeps its messages in a queue of the store (`context.queue`). */
  readonly queues?: (options: unknown) => boolean;
  /** Where the source does not settle: why not, and what to write instead, as the end of a message about `redelivery`. */
  readonly unsettled?: string;
  /** The source can leave a message with the far side for a while (`postponed`); without it a message waits here, unacknowledged. */
  readonly postpones?: boolean;
  /**
   * Its `attempt` also counts what was handed over and went back without being begun, as a restart does: a message is
   * taken for one that ends the process only after more of them.
   */
  readonly countsDeliveries?: boolean;
  /** Variables that messages of the source have besides `$headers` and `$source`. May depend on the options of the source. */
  readonly provides?: readonly Provided[] | ((options: unknown) => readonly Provided[]);
  /** The expressions that the source itself asks of a message before the flow has it, each with the variables there are by then. */
  readonly asks?: (
    options: unknown,
  ) => readonly { readonly expression: ExpressionSource; readonly names: readonly string[] }[];
  /** Messages of the source come with the token of their sender; calls of the endpoint need one. */
  readonly tokens?: (options: unknown, slot: Slot) => boolean;
  /** What is wrong with options of the source where the process listens as `server` says. */
  readonly checkServer?: (
    options: unknown,
    server: ServerSource,
    report: (at: string, message: string) => void,
  ) => void;
  /** What `$params` has with these options of the source; `undefined` where nobody knows. */
  readonly params?: (options: unknown) => readonly string[] | undefined;
  /** Whether a call with this operation changes nothing at the far side (GET, HEAD …); absent = never. */
  readonly safe?: (operation: unknown, endpoint: unknown) => boolean;
  /** Whether doing a call with this operation twice is as good as once (RFC 9110 §9.2.2); absent = never. */
  readonly idempotent?: (operation: unknown, endpoint: unknown) => boolean;
  /** The endpoint reaches a source of the same connector inside this process: both give the name they meet by. */
  readonly meetsAt?: (options: unknown) => string;
  /** What only one source of a process can have, in words (`POST /orders`): two that claim the same are a mistake. */
  readonly claims?: (options: unknown) => readonly string[];
  /** How attributes of CloudEvents stand in the headers of its messages; absent: they have none; `false`: they are never events. */
  readonly events?: EventBinding | false;
  /** Options of which a call has to give one, as its endpoint has none of them (as both are written): found while validating. */
  readonly lacks?: (endpoint: unknown, call: Readonly<Record<string, unknown>>) => readonly string[];
  /** What is wrong with a call of an endpoint with these options, as both are written: found while validating. */
  readonly checkCall?: (
    endpoint: unknown,
    call: WrittenCall,
    report: (at: string, message: string, suggestion?: string) => void,
  ) => void;
  /** JSON Schemas that options of the source, or of the endpoint, bring along: they are compiled while validating. */
  readonly schemas?: (options: unknown, slot: Slot) => readonly BroughtSchema[];
  /** The endpoint writes the trace of a message (`exchange.trace`) itself; else it is among the headers to be sent. */
  readonly writesTrace?: boolean;
  /**
   * The source stays open while it is paused (`context.paused`, `Source.pause`): callers are to be told, or what it holds
   * would be lost. Absent: it is stopped, closed when the flow is through with what it had, and opened anew.
   */
  readonly staysOpen?: (options: unknown) => boolean;
  /** Name of the connector whose machinery carries it (`soap` over `http`): given as `context.carrier`. */
  readonly carrier?: string;
  /** The options with what follows from others of them, which are not written; `given` are the keys that are. */
  readonly complete?: (
    written: { readonly options: unknown; readonly given: readonly string[] },
    report: (at: string, message: string, suggestion?: string) => void,
    slot: Slot,
  ) => unknown;
  /** The options that decide about the wire and those only one file can know: found while validating. */
  readonly check?: (
    options: unknown,
    report: (at: string, message: string, suggestion?: string) => void,
    slot: Slot,
  ) => void;
}

/** A JSON Schema that did not come out of the integration's own file. */
export interface BroughtSchema {
  readonly schema: unknown;
  /** The option that brings it. */
  readonly at: string;
  /** What it is the schema of, in words. */
  readonly title: string;
}

export type Provided = 'params' | 'query' | 'identity';

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

/** What the outside may know of sources and endpoints. Addresses are shown without credentials by whoever asks. */
export interface Description {
  /** What a source with these options serves over HTTP. */
  readonly serves?: (options: never) => Served;
  /** Where messages of a source with these options come from. */
  readonly receives?: (options: never) => readonly MessageChannel[];
  /** Where a message goes, as the call is written: templates are not evaluated. */
  readonly sends?: (endpoint: never, call: Readonly<Record<string, unknown>>) => readonly MessageChannel[];
}

export interface Served {
  readonly methods: readonly string[];
  readonly path: string;
  readonly contract?: { readonly contract: Contract; readonly operation: string } | undefined;
  /** The caller waits only until the message is kept. */
  readonly accepted: boolean;
  /** How many requests a caller may make is limited. */
  readonly limited: boolean;
  /** Ways to be let in, of which one is enough: security schemes as OpenAPI has them. */
  readonly security: readonly ServedSecurity[];
  /** Media types of requests and answers, where they are fixed. */
  readonly mediaTypes?: readonly string[];
}

export interface ServedSecurity {
  readonly name: string;
  readonly scheme: Readonly<Record<string, unknown>>;
  readonly scopes: readonly string[];
}

/** A place at a broker. */
export interface MessageChannel {
  /** As AsyncAPI calls it: `kafka`, `amqps` … */
  readonly protocol: string;
  /** Of the broker; `host:port`, or with a scheme. */
  readonly urls: readonly string[];
  /** As the protocol writes it, with `{name}` where any text may stand; as a template where it is made for each message. */
  readonly address: unknown;
  /** Of AsyncAPI, below the name of the protocol. */
  readonly channelBindings?: Readonly<Record<string, unknown>>;
  readonly operationBindings?: Readonly<Record<string, unknown>>;
}

/** A connector whose far sides are a test's. */
export interface Rehearsal {
  /** Its source, with a way in for the test. */
  readonly openSource?: (options: never, context: SourceContext) => Promise<RehearsedSource>;
  /** Whether this call has the body of the message; absent: every one has. */
  readonly sendsBody?: (exchange: Exchange) => boolean;
  /** What an endpoint does with a call besides sending it. */
  readonly openEndpoint?: (options: never, context: EndpointContext) => Promise<RehearsedEndpoint | undefined>;
  /** What an endpoint makes of an answer; throws the Failure that it is. */
  readonly answered?: (exchange: Exchange, endpoint: string, answer: Answered) => Exchange;
}

export interface RehearsedEndpoint {
  /** The call as it would be sent; throws the Failure that it is. */
  prepared(exchange: Exchange): Exchange | Promise<Exchange>;
  /** The answer to a prepared call; throws the Failure that it is. */
  answered(exchange: Exchange, answer: Exchange): Exchange | Promise<Exchange>;
}

export interface RehearsedSource extends Source {
  /** Resolves with what the sender gets; never rejects. */
  send(message: Incoming): Promise<Answered>;
}

export interface Answered {
  /** Where the protocol has one. */
  readonly status?: number | undefined;
  readonly headers: Headers;
  readonly body: Body;
  /** That nobody caught. */
  readonly error?: Failure | undefined;
}

/** Where messages come in. Open = taking messages. */
export interface Source {
  /** The far side is connected and hands messages over; absent = always. While one is not, the process is not ready. */
  readonly ready?: boolean | undefined;
  /** Why it is not, without secrets. */
  readonly trouble?: string | undefined;
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
  /** Its far side is connected; absent = nobody knows before a call. */
  readonly ready?: boolean;
  /** Why it is not, without secrets. */
  readonly trouble?: string | undefined;
  close(): Promise<void>;
}

export type OpenSource = (options: never, context: SourceContext) => Promise<Source>;
export type OpenEndpoint = (options: never, context: EndpointContext) => Promise<Endpoint>;

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
 * handed over.
 */
export type Deliver = (message: Incoming) => Promise<Exchange | undefined>;
