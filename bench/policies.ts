import { Bench, type Figures, type Plan } from './measure.ts';
import { scenarios } from './scenarios.ts';
import { dowel, runDowel } from './systems/dowel.ts';
import type { System } from './systems/system.ts';

/** Microseconds of processor time for a call that goes well. */
export interface PolicyCost {
  readonly without: number;
  readonly withAll: number;
}

const guarded: System = {
  name: 'guarded',
  title: 'with all policies',
  missing: () => undefined,
  start: (_, backendUrl) => runDowel('guarded', backendUrl),
};

/** What the policies of an endpoint cost while all is well: the same pass-through with all of them and with none. */
export async function measurePolicies(plan: Plan): Promise<PolicyCost> {
  const passThrough = scenarios.find(({ name }) => name === 'pass-through');
  if (!passThrough) throw new Error('there is no pass-through');
  await using bench = await Bench.open();
  const [row] = await bench.measure(passThrough, [dowel, guarded], { ...plan, sizes: [1000] }, () => {});
  const figures: Readonly<Record<string, Figures>> = row?.figures ?? {};
  return { without: figures['dowel']?.cpu ?? Number.NaN, withAll: figures['guarded']?.cpu ?? Number.NaN };
}
