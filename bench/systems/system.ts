import type { Scenario } from '../scenarios.ts';

/** Something that can do the jobs of the scenarios: one adapter, one file or folder. */
export interface System {
  /** As on the command line. */
  readonly name: string;
  readonly title: string;
  /** Why it cannot be measured here, and what to do about it; `undefined` when it can. */
  missing(): string | undefined;
  /** Starts it for one scenario in a process of its own; `undefined` where it has nothing that does this job. */
  start(scenario: Scenario, backendUrl: string): Promise<Running> | undefined;
}

export interface Running {
  readonly port: number;
  /** Microseconds of processor time that its process has used so far. */
  cpu(): Promise<number>;
  stop(): Promise<void>;
}
