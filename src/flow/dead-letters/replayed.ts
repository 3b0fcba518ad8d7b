import type { Incoming } from '../../sdk.ts';
import type { DeadLetterKeeper } from '../dead-letter.ts';

/** A message that comes from its dead letter. */
export interface Replayed extends Incoming {
  /** Takes it back when it fails again, wherever its flow sends dead letters; there is no far side that could keep it meanwhile. */
  readonly replay?: DeadLetterKeeper | undefined;
}
