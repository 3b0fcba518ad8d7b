import { loadSteps } from './load.ts';

/** Every step, in the order of the reference. */
export const steps = await loadSteps(() => true);
