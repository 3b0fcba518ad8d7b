import type { DeadLetterDesk } from '../../flow/dead-letters/desk.ts';

/** What the admin server tells of, and changes: the running integration. */
export interface AdminWorld {
  readonly ready: boolean;
  /** Its name; `undefined` before it is open. */
  readonly integration: string | undefined;
  deadLetters(): Promise<DeadLetterDesk>;
  /** In the text format of Prometheus. */
  metrics(): Promise<string>;
}
