import type { DeadLetterDesk } from '../../flow/dead-letters/desk.ts';
import { noLetter } from '../../flow/dead-letters/refusals.ts';

/** Of an integration that has never kept anything. */
export const emptyDesk: DeadLetterDesk = {
  list: async () => ({ letters: [] }),
  show: (id) => Promise.reject(noLetter(id)),
  body: (id) => Promise.reject(noLetter(id)),
  replay: (id) => Promise.reject(noLetter(id)),
  discard: (id) => Promise.reject(noLetter(id)),
};
