/** Who of several takes a call. */
import type { Random } from '#sdk';

export type LoadBalance = 'roundRobin' | 'leastPending' | 'weighted' | 'failover';

export interface Candidate {
  readonly target: { readonly index: number; readonly weight: number };
  /** Among those of the same target: lower ones first. */
  readonly priority: number;
  /** Among those of the same target. */
  readonly weight: number;
  readonly pending: number;
  /** When it was chosen, as a number that grows with every choice. */
  readonly chosen: number;
}

/** One of the candidates, of which there is at least one. */
export function choose<C extends Candidate>(how: LoadBalance, candidates: readonly C[], random: Random): C | undefined {
  const first = foremost(candidates);
  switch (how) {
    case 'roundRobin':
      return least(first, (one) => one.chosen);
    case 'leastPending': {
      const pending = Math.min(...first.map((one) => one.pending));
      return least(
        first.filter((one) => one.pending === pending),
        (one) => one.chosen,
      );
    }
    case 'weighted':
      return byWeight(first, random);
    case 'failover': {
      const index = Math.min(...first.map((one) => one.target.index));
      return least(
        first.filter((one) => one.target.index === index),
        (one) => one.chosen,
      );
    }
  }
}

/** Of each target those of the lowest priority number. */
function foremost<C extends Candidate>(candidates: readonly C[]): readonly C[] {
  if (candidates.every((one) => one.priority === candidates[0]?.priority)) return candidates;
  const lowest = new Map<number, number>();
  for (const { target, priority } of candidates) {
    lowest.set(target.index, Math.min(priority, lowest.get(target.index) ?? priority));
  }
  return candidates.filter(({ target, priority }) => priority === lowest.get(target.index));
}

/** First the target, then one of its instances: however many it has, a target gets its part. */
function byWeight<C extends Candidate>(candidates: readonly C[], random: Random): C | undefined {
  const targets = [...new Map(candidates.map((one) => [one.target.index, one.target])).values()];
  const target = drawn(targets, (one) => one.weight, random);
  return drawn(
    candidates.filter((one) => one.target.index === target?.index),
    // A weight of 0 in an SRV record means: hardly ever (RFC 2782).
    (one) => Math.max(one.weight, 0.01),
    random,
  );
}

function drawn<T>(all: readonly T[], weightOf: (one: T) => number, random: Random): T | undefined {
  if (all.length < 2) return all[0];
  let left = random.next() * all.reduce((sum, one) => sum + weightOf(one), 0);
  for (const one of all) {
    left -= weightOf(one);
    if (left < 0) return one;
  }
  return all.at(-1);
}

export function least<T>(all: readonly T[], measure: (one: T) => number): T | undefined {
  let best = all[0];
  for (const one of all) if (best === undefined || measure(one) < measure(best)) best = one;
  return best;
}
