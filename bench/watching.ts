import { Bench, type Figures, type Plan } from './measure.ts';
import { scenarios } from './scenarios.ts';
import { dowel, runDowel } from './systems/dowel.ts';
import type { System } from './systems/system.ts';

/** Microseconds of processor time for a request. */
export interface WatchingCost {
  /** No metrics, no log, no admin server. */
  readonly without: number;
  /** As everybody runs it. */
  readonly defaults: number;
  /** With a line of the log for each message and each call besides. */
  readonly lines: number;
}

const here = (name: string, start: System['start']): System => ({ name, title: name, missing: () => undefined, start });

const unwatched = new URL('unwatched.ts', import.meta.url);
const systems: readonly System[] = [
  here('without', ({ name }, backendUrl) => runDowel(name, backendUrl, { program: unwatched })),
  dowel,
  here('lines', ({ name }, backendUrl) => runDowel(name, backendUrl, { env: { LOG_CALLS: 'info' } })),
];

/** What it costs to be watched: the same pass-through with nothing, with the defaults, and with a line for each call. */
export async function measureWatching(plan: Plan): Promise<WatchingCost> {
  const passThrough = scenarios.find(({ name }) => name === 'pass-through');
  if (!passThrough) throw new Error('there is no pass-through');
  await using bench = await Bench.open();
  const [row] = await bench.measure(passThrough, systems, { ...plan, sizes: [1000] }, () => {});
  const figures: Readonly<Record<string, Figures>> = row?.figures ?? {};
  const of = (name: string): number => figures[name]?.cpu ?? Number.NaN;
  return { without: of('without'), defaults: of('dowel'), lines: of('lines') };
}
