/** What became of the messages of a flow, since it began: for whoever wants to know. */
export interface Counts {
  /** Handed over by the source. */
  received: number;
  /** Done, and acknowledged. */
  delivered: number;
  /** Attempts that failed and were followed by a wait for the next one, here or at the far side. */
  redelivered: number;
  /** Those of them that wait at the far side. */
  postponed: number;
  /** How often a message was held back because somebody was busy. */
  held: number;
  deadLettered: number;
  /** How often a dead letter could not be kept or sent. */
  deadLetterFailures: number;
  /** Left to the source as they came. */
  released: number;
}

export const noCounts = (): Counts => ({
  received: 0,
  delivered: 0,
  redelivered: 0,
  postponed: 0,
  held: 0,
  deadLettered: 0,
  deadLetterFailures: 0,
  released: 0,
});
