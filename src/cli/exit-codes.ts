/** What the process ends with. `run` uses those of sysexits.h where they fit. */
export const exitCode = {
  done: 0,
  /** `validate` and the like found something. */
  findings: 1,
  usage: 2,
  /** `run` drained, but gave some messages up. */
  gaveUp: 3,
  /** A dependency that must be there at start is missing (EX_UNAVAILABLE). */
  unavailable: 69,
  /** EX_SOFTWARE */
  internal: 70,
  /** Bad definition or configuration (EX_CONFIG). */
  config: 78,
} as const;
