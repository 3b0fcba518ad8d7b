/** Where messages wait between the two integrations of a fault run. */
export interface Waiting extends AsyncDisposable {
  /** `from:` of the one that takes them, as lines of YAML. */
  readonly from: string;
  /** The endpoint, and what a `send` to it says besides `endpoint`, of the one that hands them over; absent: callers do. */
  readonly to?: { readonly endpoint: string; readonly send: string };
  /** What the flow says about messages that fail for a moment; absent: how they are redelivered. */
  readonly again?: string;
  /** Ends the broker as a power cut would, and starts it again. */
  restart?(): Promise<void>;
  /** Cuts all connections of the one that takes: by RST, or without a word. */
  cut?(how: 'reset' | 'mute'): void;
}

export interface Subject {
  readonly name: string;
  /** Names of faults that there can be. */
  readonly faults: readonly string[];
  /** Why it cannot be tried here; `undefined` when it can. */
  missing(): Promise<string | undefined>;
  /** It cannot be had everywhere: where it is not, its test is skipped, on CI too. */
  readonly optional?: true;
  /** `shared`: nobody stops the broker, so that it may be one that others use. */
  start(shared?: boolean): Promise<Waiting>;
}
