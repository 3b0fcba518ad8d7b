import { eventually } from '../../support/eventually.ts';
import type { Opened } from './subject.ts';

/** The time of a server of its own goes by itself. */
export const waiting: Opened['until'] = (what, holds) => eventually(what, holds);
