/** What options of several steps have in common; each step says what it means there. */
import { limits } from '../../store/store.ts';

/** A wait that the store has to outlast. */
export const wait = { type: 'string', format: 'duration', minimum: 1, maximum: limits.ttl } as const;

/** How long something is kept in the store. */
export const storedFor = { type: 'string', format: 'duration', minimum: 1000, maximum: limits.ttl } as const;

/** How many may be kept. */
export const capacity = { type: 'integer', minimum: 1, maximum: 1_000_000 } as const;
