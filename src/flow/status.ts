import type { CircuitState } from '../resilience/circuit-breaker.ts';
import type { Guard } from '../resilience/policy.ts';
import type { Program } from './program.ts';
import type { HeldUp } from './settlement/letters.ts';

/** What a person on call wants to know of a running integration, at this moment. */
export interface Status {
  readonly integration: string;
  readonly version: string | undefined;
  readonly file: string;
  readonly ready: boolean;
  readonly stopping: boolean;
  /** Messages under way, in all versions. */
  readonly inFlight: number;
  /** Versions before this one that still have messages under way. */
  readonly versionsLeaving: number;
  /** Secrets are only named. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly flows: readonly FlowStatus[];
  readonly endpoints: readonly EndpointStatus[];
}

export interface FlowStatus {
  readonly name: string;
  /** The connector of its source; absent in a sub-flow. */
  readonly from: string | undefined;
  readonly durable: boolean;
  /** By hand: its source takes nothing new. Absent in a sub-flow. */
  readonly paused: boolean | undefined;
  /** Absent: the source does not say, or is paused. */
  readonly connected: boolean | undefined;
  /** Why it is not connected, where it is not. */
  readonly trouble: string | undefined;
  readonly inFlight: number;
  /** Messages that wait for their turn, where the source hands over more than may be under way. */
  readonly waiting: number | undefined;
  /** Messages that wait for it in a channel; of those that wait in the store (`durable`, `reply: accepted`), also those under way. */
  readonly queued: number | undefined;
  /** Messages that failed for good and wait all the same, as nobody takes their dead letters; absent: none. */
  readonly heldUp: HeldUp | undefined;
}

export interface EndpointStatus {
  readonly name: string;
  readonly connector: string;
  /** Absent: nobody knows before a call. */
  readonly connected: boolean | undefined;
  /** Why it is not connected, where it is not. */
  readonly trouble: string | undefined;
  readonly circuitBreaker: CircuitState | undefined;
  readonly bulkhead: { readonly running: number; readonly waiting: number; readonly max: number } | undefined;
}

interface Reached {
  readonly ready?: boolean | undefined;
  readonly trouble?: string | undefined;
}

const troubleOf = (it: Reached | undefined): string | undefined => (it?.ready === false ? it.trouble : undefined);

/** How the parts of a version answer for themselves. */
export interface Parts {
  readonly sourceOf: (
    flow: string,
  ) => (Reached & { readonly paused: boolean; readonly queued: number | undefined }) | undefined;
  readonly endpointCalled: (name: string) => Reached | undefined;
  readonly inFlight: (flow: string) => number;
  readonly queued: (flow: string) => number | undefined;
  readonly settlement: (flow: string) => { readonly waiting: number; readonly heldUp: HeldUp | undefined } | undefined;
  readonly guard: (endpoint: string) => Guard | undefined;
}

export function statusOf(program: Program, parts: Parts): Pick<Status, 'flows' | 'endpoints'> {
  return {
    flows: [...program.flows.values()].map(({ name, source, durable }) => ({
      name,
      from: source.from?.name,
      durable,
      paused: parts.sourceOf(name)?.paused,
      connected: parts.sourceOf(name)?.ready,
      trouble: troubleOf(parts.sourceOf(name)),
      inFlight: parts.inFlight(name),
      waiting: parts.settlement(name)?.waiting,
      queued: parts.sourceOf(name)?.queued ?? parts.queued(name),
      heldUp: parts.settlement(name)?.heldUp,
    })),
    endpoints: [...program.endpoints.values()].map(({ source: { name, connector } }) => {
      const { breaker, bulkhead } = parts.guard(name) ?? {};
      return {
        name,
        connector: connector.name,
        connected: parts.endpointCalled(name)?.ready,
        trouble: troubleOf(parts.endpointCalled(name)),
        circuitBreaker: breaker?.state,
        bulkhead: bulkhead && { running: bulkhead.running, waiting: bulkhead.waiting, max: bulkhead.max },
      };
    }),
  };
}
