/** Why a dead letter cannot be handled as somebody wants it: said to that person, with what to do instead. */
import { customFailure, type Failure } from '../../errors.ts';

export const noLetter = (id: string): Failure =>
  customFailure(
    'no-letter',
    'permanent',
    404,
    `There is no dead letter ${id}: it was replayed or discarded, or the id is wrong`,
  );

export const letterInUse = (id: string): Failure =>
  customFailure(
    'letter-in-use',
    'rejected',
    409,
    `The dead letter ${id} is being replayed by somebody. If that process has died, it is free again in a minute`,
  );

export const notReplayable = (id: string, why: string): Failure =>
  customFailure('not-replayable', 'permanent', 409, `The dead letter ${id} cannot be replayed: ${why}`);
