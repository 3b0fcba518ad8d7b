import type { Body } from '../core/body.ts';
import type { Exchange, Handler, Headers, Origin, Services } from '../core/exchange.ts';
import type { ExpressionSource, Finding, StepSource, TemplateSource } from '../core/written.ts';
import type { Infer } from '../schema/infer.ts';
import type { Schema } from '../schema/schema.ts';
import type { Store } from '../store/store.ts';

/**
 * The shape of a step: one file, one `defineStep`, listed in `load.ts`. From the options literal come the types, the
 * reader, the editor's schema and the reference.
 */
export interface StepDefinition<O extends Schema = Schema> {
  /** The key in the file. */
  readonly name: string;
  /** The pattern's name in the EIP book; absent where there is none. */
  readonly pattern?: string;
  /** One sentence for hover texts and the reference. */
  readonly summary: string;
  readonly options: O;
  compile(options: Infer<O>, context: CompileContext): Handler | Compiled | Surrounding;
}

export interface Compiled {
  readonly handler: Handler;
  /** The flow never goes on behind it: what follows can never run. */
  readonly ends: boolean;
}

/** Compiled steps, or what holds some; `undefined` = none. */
export type Ending = { readonly ends: boolean } | undefined;

/** A step that stands around all that follows in its list. */
export interface Surrounding {
  readonly around: (rest: Handler) => Handler;
  /** It is of use where nothing follows, too. */
  readonly mayBeLast?: true;
}

export const defineStep = <const O extends Schema>(definition: StepDefinition<O>): StepDefinition<O> => definition;

/** What a step has kept, and what goes on from there as a message of its own. */
export interface LaterMessage {
  readonly id: string;
  /** The same when it is handed over again. */
  readonly key: string;
  readonly body: Body;
  readonly headers: Headers;
  readonly origin: Origin;
  /** Messages of one lane go on one after the other. */
  readonly lane?: string;
  /** Spans of the messages that it came of, each as `traceparent`, where traces are recorded. */
  readonly links?: readonly string[] | undefined;
}

export interface LaterWorld {
  /**
   * The rest of the flow, with its redelivery and its dead letters. Resolved: the message is done, or is a dead letter.
   * Rejected: the process stops, and it stays where it is.
   */
  readonly deliver: (message: LaterMessage) => Promise<unknown>;
  readonly services: Services;
  readonly store: Store;
  /** What is under way here, by id: every version of the integration that is open has the same. */
  readonly underWay: Set<string>;
}

/** Of a step that keeps messages: what the engine does with it. */
export interface Later {
  /** Before messages come. */
  open(world: LaterWorld): void;
  /** What was left behind goes on. Not called where only dead letters are replayed. */
  wake(): Promise<void>;
  /** Before the rest is run over the message `id`: throws what it met before it was kept, if that was an attempt. */
  begin?(id: string): void;
  /** Begins nothing any more. */
  stop(): void;
}

/** A compiled expression, bound to messages. */
export type Evaluate = (exchange: Exchange) => unknown | Promise<unknown>;

/** How the steps below see names. */
export interface StepsOptions {
  /** Names that exist inside. */
  readonly declare?: readonly string[];
  /**
   * `same` (default): what is named inside is known behind it, `respond` ends the whole flow. `inner`: a branch, a round,
   * a tapped copy: its names stay inside, and nobody awaits a `respond` there.
   */
  readonly scope?: 'same' | 'inner';
  /** Why `respond` is not possible inside, for the message. */
  readonly noReply?: string;
  /** Several of these may run, or the same several times: the body must stay readable. */
  readonly repeated?: boolean;
  /** `$error` is known inside. */
  readonly error?: boolean;
  /** `wanted`: what changes something inside must say how it is undone. `given`: somebody around undoes it. */
  readonly undo?: 'wanted' | 'given';
}

/** What a step may ask while it is compiled. Pure: no network, no files, no clock. */
export interface CompileContext {
  /** JSON pointer of the step's options, such as `/flows/f/steps/3/call`. */
  readonly pointer: string;
  /** Name or kind of the step: how messages and logs call it. */
  readonly title: string;
  /**
   * What the step is called in what outlives the process: its flow, and which one of its kind it is there. The same after
   * an edit, unless it changes that.
   */
  readonly identity: string;
  /** Whose steps it is one of: a flow's, those of a branch or a round (which stands apart), or another step's. */
  readonly among: 'flow' | 'apart' | 'step';
  /** Compiles; problems are reported, not thrown. */
  expression(
    source: ExpressionSource,
    options?: { readonly error?: boolean; readonly declare?: readonly string[] },
  ): Evaluate;
  /** Whether the value can differ from message to message, and is the same when a message comes again. */
  dependsOnMessage(source: ExpressionSource): boolean;
  template(source: TemplateSource): Evaluate;
  /** Whether `source` is written without any hole, and its value. */
  constant(source: TemplateSource): { readonly value: unknown } | undefined;
  /** Replaces every template inside a connector's options by its value for the message; constant options are evaluated once. */
  evaluated(options: unknown): Evaluate;
  steps(list: readonly StepSource[], options?: StepsOptions): Compiled;
  /** Alternatives of which one runs: each is compiled as if the others were not there. */
  alternatives<T extends Ending>(compile: readonly (() => T)[]): readonly T[];
  /**
   * Compiles `instead`, which runs when what `main` compiles has failed and sees the message as it was before; with
   * `rejoins` the flow goes on behind it.
   */
  attempt<T, U extends Ending>(
    main: () => T,
    instead: (() => U) | undefined,
    rejoins: boolean,
  ): readonly [T, U | undefined];
  /** Compiles inside a scope of its own, in which `names` exist: they are not known behind it. */
  inner(names: readonly string[], compile: () => void): void;
  /** A variable of the language itself that exists from here on (`failed`). */
  provide(name: string): void;
  /** Names a result for the steps behind; reports names that may not be used. `at` is the option that holds it. */
  declare(name: string, at: string): void;
  /** The endpoint by name: `undefined` and a finding when there is none. */
  endpoint(name: string, at: string): EndpointReference | undefined;
  endpoints(connector: string | undefined): readonly EndpointReference[];
  /** Reports an entry of `on` that no error of this integration fits. */
  selector(selector: string, at: string): void;
  /** The store, open before the first message comes. */
  store(): () => Store;
  /**
   * What the step keeps goes on by itself: `rest` is run over it as a message of the flow. Reports where the flow has no
   * source, so that nothing can go on.
   */
  later(rest: Handler, later: Later): void;
  /** Nobody waits for an answer behind the step: `why`, for the message. */
  nobodyAwaits(why: string): void;
  /** Behind the step there is another message: names that were given before are not known any more. */
  forgetNames(): void;
  /** The flow needs a journal: what it does survives a crash. */
  makeDurable(): void;
  /** The sub-flow by name: reports unknown and circular ones. */
  flow(name: string, at: string): Handler | undefined;
  /** A module of the user's, by absolute path, loaded when the integration starts. */
  module(path: string, exportName: string): () => (...args: readonly unknown[]) => unknown;
  /** Compiles a JSON Schema; problems are reported at `pointer`. */
  jsonSchema(schema: unknown, pointer: string): (value: unknown) => readonly SchemaFinding[];
  /** The format by name, for `convert` and the like. */
  format(name: string): FormatReference | undefined;
  formatFor(contentType: string | undefined): FormatReference | undefined;
  charsetOf(contentType: string | undefined): string | undefined;
  /** What the step does with the body; decides whether the flow can relay streams. */
  readonly body: BodyUse;
  /** Reports at an option of this step (`endpoint`, `cases/0`), or at the step itself where `at` is empty. */
  report(at: string, finding: Omit<Finding, 'pointer' | 'severity'> & { severity?: Finding['severity'] }): void;
  /** What changes something here must say how it is undone. */
  readonly undoWanted: boolean;
  /** Whether somebody waits for an answer; else why not, for the message. */
  readonly reply: { readonly possible: true } | { readonly possible: false; readonly why: string };
}

export interface BodyUse {
  /** The step reads the body: it must be there in full. */
  look(): void;
  /** The step passes the body on, once, unseen; or reads it piece by piece, which is enough if nobody else needs it. */
  take(piecewise?: 'piecewise'): void;
  /** From here on there is another body. */
  replace(): LaterBody;
  /** How often any body was looked at or passed on so far. */
  readonly uses: number;
}

/** A body that a step has put into the place of the one before. */
export interface LaterBody {
  /** Known when the flow is compiled: it is read piece by piece, by one step, and nobody else needs it. */
  readonly piecewise: boolean;
}

export interface EndpointReference {
  readonly name: string;
  readonly connector: string;
  /** Whether a call of it is answered; else it takes `send` only. */
  readonly replies: boolean;
  /** Whether a call with this operation changes nothing at the far side. */
  safe(operation: unknown): boolean;
  /** Whether doing a call with this operation twice is as good as once. */
  idempotent(operation: unknown): boolean;
  /** `idempotent`, or the step says that it may be repeated. */
  repeatable(operation: unknown): boolean;
  /** Options of the connector that every call must give. */
  readonly needs: readonly string[];
  /** Of these a call has to give one, as the endpoint has none. */
  readonly lacks: (call: Readonly<Record<string, unknown>>) => readonly string[];
  /** Tells what is wrong with a call of it, as it is written. */
  checkCall(call: WrittenCall, report: (at: string, message: string, suggestion?: string) => void): void;
  /** Its messages are CloudEvents, of this type where the step says no other. */
  readonly events: { readonly type?: string | undefined } | undefined;
  /** A call may be made more than once (`retry`): its body must be there in full. */
  readonly repeats: boolean;
  /** Exchange with `operation`, `body` and `ownHeaders` in; exchange with `body`, `headers`, `response` out. */
  readonly handler: Handler;
}

/** A call as the file has it. */
export interface WrittenCall {
  /** Of the connector; templates are not evaluated. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Names of headers that the step gives beside them; `undefined`: nobody knows. */
  readonly headers: readonly string[] | undefined;
  readonly bodyGiven: boolean;
}

export interface SchemaFinding {
  /** JSON pointer into the value. */
  readonly pointer: string;
  readonly message: string;
}

export interface FormatReference {
  readonly name: string;
  readonly mediaType: string;
  read(bytes: Uint8Array, charset: string | undefined, options: unknown): unknown;
  write(value: unknown, options: unknown): string;
}
