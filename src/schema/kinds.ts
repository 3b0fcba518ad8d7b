import type { KindSchemas } from './read-context.ts';
import type { Schema, Slot } from './schema.ts';

/** What the schema needs to know of a step: `StepDefinition` has it. */
export interface StepKind {
  readonly name: string;
  readonly pattern?: string;
  readonly summary: string;
  readonly options: Schema;
}

/** What the schema needs to know of a connector: `ConnectorDefinition` has it. */
export interface ConnectorKind {
  readonly name: string;
  readonly summary: string;
  readonly source?: Schema;
  readonly endpoint?: Schema;
  readonly call?: Schema;
  readonly check?: (
    options: unknown,
    report: (at: string, message: string, suggestion?: string) => void,
    slot: Slot,
  ) => void;
  readonly complete?: (
    written: { readonly options: unknown; readonly given: readonly string[] },
    report: (at: string, message: string, suggestion?: string) => void,
    slot: Slot,
  ) => unknown;
}

/** The words of the language: every step and every connector. */
export interface Kinds {
  readonly steps: readonly StepKind[];
  readonly connectors: Readonly<Record<string, ConnectorKind>>;
}

export function kindSchemas({ steps, connectors }: Kinds): KindSchemas {
  const slots = ({ source, endpoint, call }: ConnectorKind): Partial<Record<Slot, Schema>> => ({
    ...(source ? { source } : {}),
    ...(endpoint ? { endpoint } : {}),
    ...(call ? { call } : {}),
  });
  return {
    steps: new Map(steps.map((step) => [step.name, step.options])),
    connectors: new Map(Object.entries(connectors).map(([name, connector]) => [name, slots(connector)])),
  };
}
