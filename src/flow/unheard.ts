import type { Report } from '../core/written.ts';

/** For who compiles again what was found to be right: nothing more is looked for. */
export const unheard: Report = () => {};
