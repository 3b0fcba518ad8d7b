import type { DeadLetterDesk } from '../../flow/dead-letters/desk.ts';
import type { RunningSource } from '../../flow/runtime.ts';
import type { Status } from '../../flow/status.ts';
import type { CircuitBreaker } from '../../resilience/circuit-breaker.ts';
import type { LevelledLog } from '../logger.ts';

/** What the admin server tells of, and changes: the running integration. */
export interface AdminWorld {
  readonly ready: boolean;
  /** It was open once. */
  readonly started: boolean;
  /** Its name; `undefined` before it is open. */
  readonly integration: string | undefined;
  readonly log: LevelledLog;
  /** `undefined` before it is open. */
  status(): Status | undefined;
  /** Of a flow that has one; `undefined` before it is open. */
  sourceOf(flow: string): RunningSource | undefined;
  /** Of an endpoint that has one. */
  breakerOf(endpoint: string): CircuitBreaker | undefined;
  deadLetters(): Promise<DeadLetterDesk>;
  /** What it is to others, as a document; `undefined` before it is open. */
  document(kind: 'openapi' | 'asyncapi'): Promise<unknown>;
  /** In the text format of Prometheus. */
  metrics(): Promise<string>;
}
