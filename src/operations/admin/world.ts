import type { Log } from '../../core/exchange.ts';
import type { DeadLetterDesk } from '../../flow/dead-letters/desk.ts';
import type { Status } from '../../flow/status.ts';
import type { CircuitBreaker } from '../../resilience/circuit-breaker.ts';

/** What the admin server tells of, and changes: the running integration. */
export interface AdminWorld {
  readonly ready: boolean;
  /** Its name; `undefined` before it is open. */
  readonly integration: string | undefined;
  readonly log: LevelledLog;
  /** `undefined` before it is open. */
  status(): Status | undefined;
  /** Of an endpoint that has one. */
  breakerOf(endpoint: string): CircuitBreaker | undefined;
  deadLetters(): Promise<DeadLetterDesk>;
  /** In the text format of Prometheus. */
  metrics(): Promise<string>;
}

/** A log whose level can be set while it is written. */
export interface LevelledLog extends Log {
  readonly level: string;
  setLevel(level: 'debug' | 'info' | 'warn' | 'error'): void;
}
