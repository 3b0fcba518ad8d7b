/**
 * What stands in the file, after reading and before compiling: options checked and typed, every piece of text that is
 * compiled later still with its place. A `pointer` is a JSON pointer (RFC 6901) into the integration file; diagnostics
 * find line and column by it.
 */
import type { CallLogLevel } from './call-log.ts';
import type { Contract } from './contract.ts';

/** JSONata as written. */
export class ExpressionSource {
  readonly text: string;
  readonly pointer: string;

  constructor(text: string, pointer: string) {
    this.text = text;
    this.pointer = pointer;
  }
}

/** Names by which a broker decides who gets a message: of MQTT, NATS, AMQP and Redis. */
export type NameMode = 'topic' | 'subject' | 'routing-key' | 'key';

/** In mode `path` each hole is percent-encoded as one segment; in those of names each must be part of one of their parts. */
export type TemplateMode = 'value' | 'path' | NameMode;

/** A value with `${{ }}` holes as written. */
export class TemplateSource {
  readonly value: unknown;
  readonly mode: TemplateMode;
  readonly pointer: string;

  constructor(value: unknown, mode: TemplateMode, pointer: string) {
    this.value = value;
    this.mode = mode;
    this.pointer = pointer;
  }
}

/** A referenced file: read at load, so that compiling touches no file system. */
export interface FileSource {
  /** Absolute path. */
  readonly path: string;
  readonly text: string;
  readonly pointer: string;
}

/** An OpenAPI document, read at load with those that it refers to. */
export interface OpenApiSource extends FileSource {
  readonly contract: Contract;
}

/** One step, its options read by the schema of its kind. */
export interface StepSource {
  readonly kind: string;
  readonly options: unknown;
  readonly name?: string | undefined;
  readonly when?: ExpressionSource | undefined;
  /** Of the step, such as `/flows/place-order/steps/3`. */
  readonly pointer: string;
}

/** A connector's options under its name, read by the connector's schema for that place. */
export interface ConnectorSource {
  readonly name: string;
  readonly options: unknown;
  readonly pointer: string;
}

/** `rate: 10/s` */
export interface Rate {
  readonly count: number;
  /** Milliseconds. */
  readonly per: number;
}

/** An outside system: its connector with connection options, and its policies. */
export interface EndpointSource {
  readonly name: string;
  readonly connector: ConnectorSource;
  /** Its messages are CloudEvents, read by the schema of `src/events/options.ts`. */
  readonly events?: unknown;
  /** Read by the schema of `src/resilience/policy.ts`. */
  readonly policies: unknown;
  readonly pointer: string;
}

/** One `on`/`when`/`steps` entry of `catch` or `onError`. */
export interface CatchSource {
  readonly on?: readonly string[] | undefined;
  readonly when?: ExpressionSource | undefined;
  readonly steps: readonly StepSource[];
}

/** How a message that failed for a moment is tried again, attempts of all deliveries together. */
export interface RedeliverySource {
  readonly maxAttempts: number;
  /** Milliseconds before the second attempt, at most. */
  readonly delay: number;
  readonly factor: number;
  readonly maxDelay: number;
}

/** Where a flow sends what it gives up. */
export interface DeadLetterSource {
  readonly endpoint: string;
  readonly connector?: ConnectorSource | undefined;
  readonly headers?: TemplateSource | undefined;
  readonly body?: TemplateSource | undefined;
}

export interface FlowSource {
  readonly name: string;
  readonly description?: string | undefined;
  /** Absent in a sub-flow. */
  readonly from?: ConnectorSource | undefined;
  /** Its messages are CloudEvents, read by the schema of `src/events/options.ts`. */
  readonly events?: unknown;
  /** Milliseconds for the whole message. */
  readonly deadline?: number | undefined;
  /** Its messages are journaled. */
  readonly durable?: boolean | undefined;
  /** How many messages are in the flow at once. */
  readonly concurrency?: number | undefined;
  /** Messages for which it yields the same are worked on one after the other. */
  readonly orderBy?: ExpressionSource | undefined;
  readonly redelivery?: RedeliverySource | undefined;
  readonly deadLetter?: DeadLetterSource | undefined;
  readonly steps: readonly StepSource[];
  readonly onError?: readonly CatchSource[] | undefined;
  readonly pointer: string;
}

export interface ServerSource {
  readonly port: number;
  readonly host: string;
  /** It serves https. */
  readonly tls?: ServerTlsSource | undefined;
}

export interface ServerTlsSource {
  readonly cert: FileSource;
  readonly key: FileSource;
  /** Clients are asked for a certificate of these authorities. */
  readonly ca?: FileSource | undefined;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}

export interface AdminSource {
  readonly host: string;
  readonly port: number;
  /** The file names the port: another one is not taken in its place. */
  readonly insist: boolean;
  /** Asked for by everything that changes something. */
  readonly token?: string | undefined;
}

export interface IntegrationSource {
  /** Absolute path of the file. */
  readonly file: string;
  readonly name: string;
  readonly version?: string | undefined;
  readonly description?: string | undefined;
  /** Values of `config` that are not secret: what `$config` sees. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Names under `config` that are secret. */
  readonly secretNames: readonly string[];
  /** Values that must never be printed. */
  readonly secrets: readonly string[];
  readonly server: ServerSource;
  readonly admin: AdminSource;
  readonly log: { readonly level: string; readonly calls: CallLogLevel };
  /** Where what outlives a message is kept, read by the schema of `src/store/options.ts`; absent = an SQLite file. */
  readonly store: unknown;
  readonly endpoints: Readonly<Record<string, EndpointSource>>;
  readonly flows: Readonly<Record<string, FlowSource>>;
  /** Absolute paths of every referenced file: what hot reload watches. */
  readonly files: readonly string[];
  /** What stood in the file and in those that it refers to when they were read, by absolute path; its own is the first. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Something wrong in the file, before it has a line and a column. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  /** Stable, kebab-case: `unknown-key`, `unknown-endpoint` … */
  readonly code: string;
  readonly message: string;
  /** JSON pointer of the value, or of the key where `at` says so. */
  readonly pointer: string;
  readonly at?: 'key' | 'value' | undefined;
  /** Characters into the text of the scalar: where inside an expression. */
  readonly offset?: number | undefined;
  /** How many characters, from `offset` on. */
  readonly length?: number | undefined;
  /** The name in question, where the finding is about one: what is declared with a mistake of its own is known. */
  readonly name?: string | undefined;
  /** What to write instead, as the replacement text. */
  readonly suggestion?: string | undefined;
}

export type Report = (finding: Finding) => void;
