import type { Contract } from '../core/contract.ts';

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
