import type { ExpressionSource, ServerSource } from '../core/written.ts';
import type { EventBinding } from '../events/options.ts';
import type { Schema, Slot } from '../schema/schema.ts';
import type { WrittenCall } from '../steps/step.ts';
import type { Deliver } from './message.ts';

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
  /** What is doubtful in options of the source, or of the endpoint with the calls that are made of it: warnings. */
  readonly doubts?: (options: unknown, calls: readonly WrittenCall[], slot: Slot) => readonly Doubt[];
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

/** Something that may well be meant otherwise, or not do what is expected of it. */
export interface Doubt {
  readonly code: string;
  /** The option that it is about. */
  readonly at: string;
  readonly message: string;
  /** A step that settles it: where there is one of this kind, nothing is said. */
  readonly settledBy?: string;
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
