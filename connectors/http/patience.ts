/** How long the server waits, in milliseconds. */
export interface Patience {
  /** For the header section of a request. */
  readonly headers: number;
  /** For a whole request. */
  readonly request: number;
  /** How often node looks for requests that took longer. */
  readonly check: number;
  /** For the next request on a connection. */
  readonly keepAlive: number;
  /** For a client that does not read its answer. */
  readonly stall: number;
  /** For the rest of an upload whose request was answered already: cut at once, its client would miss the answer. */
  readonly linger: number;
  /** Before the port closes, for one more request on each connection: longer than what is on its way takes. */
  readonly lastCall: number;
  /** When the port closes, for requests that are just arriving and for answers that are just leaving. */
  readonly farewell: number;
}

export const usualPatience: Patience = {
  headers: 20_000,
  request: 300_000,
  check: 5_000,
  // Longer than the minute after which common load balancers close: else they send into a connection we are closing.
  keepAlive: 72_000,
  stall: 60_000,
  linger: 2_000,
  lastCall: 500,
  farewell: 1_000,
};
