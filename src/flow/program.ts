import type { Handler } from '../core/exchange.ts';
import type { EndpointSource, FlowSource, IntegrationSource } from '../core/written.ts';
import type { Later, SchemaFinding } from '../steps/step.ts';
import type { Store } from '../store/store.ts';
import type { SettlementProgram } from './settlement/program.ts';

/** A compiled flow: ready to run once its endpoints are open. */
export interface FlowProgram {
  readonly name: string;
  readonly source: FlowSource;
  readonly handler: Handler;
  /** What a message has done survives a crash: it goes on where it was. */
  readonly durable: boolean;
  /** No step looks at the body as it came in: it can be relayed as a stream. */
  readonly streams: boolean;
  /** Where messages wait at the far side until they are settled. */
  readonly settlement: SettlementProgram | undefined;
}

/** A step of a flow that keeps messages, and what is run over them when they go on. */
export interface LaterSource {
  /** What it is called in what outlives the process. */
  readonly identity: string;
  readonly flow: string;
  readonly rest: Handler;
  readonly later: Later;
}

/** The rest of a flow behind such a step, as a flow of its own, called by the identity of the step. */
export interface LaterProgram {
  readonly flow: FlowProgram;
  readonly later: Later;
}

/** The place where an opened endpoint is put: compiled steps hold the slot, not the endpoint. */
export interface EndpointSlot {
  readonly source: EndpointSource;
  handler: Handler;
}

/** A function of a module of the user's. */
export interface ModuleSlot {
  readonly path: string;
  readonly exportName: string;
  readonly pointer: string;
  run: (...args: readonly unknown[]) => unknown;
}

/** The place where the opened store is put. */
export interface StoreSlot {
  /** A step asked for it. */
  needed: boolean;
  store: Store | undefined;
}

/** A compiled integration: handlers without connections. */
export interface Program {
  readonly source: IntegrationSource;
  readonly flows: ReadonlyMap<string, FlowProgram>;
  readonly laters: readonly LaterProgram[];
  readonly endpoints: ReadonlyMap<string, EndpointSlot>;
  readonly modules: readonly ModuleSlot[];
  readonly store: StoreSlot;
  /** Compiles the JSON Schemas that connectors bring along, each once. */
  readonly jsonSchema: (schema: unknown) => (value: unknown) => readonly SchemaFinding[];
}
