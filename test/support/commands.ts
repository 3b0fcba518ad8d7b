/**
 * Model-based testing (Claessen, Hughes: QuickCheck state machines): random commands run against the real thing and
 * against a model that is too simple to be wrong. A failure names the seed and the commands that led to it.
 */
import { type Random, seededRandom } from '../../src/core/random.ts';

export interface Command {
  readonly name: string;
  run(): void | Promise<void>;
}

export interface Trial {
  /** The next command, by chance and by what the model allows. */
  next(random: Random): Command;
  /** Throws when the real thing and the model disagree. */
  check(): void;
}

/** Runs `trials` sequences of `length` commands, each from a seed of its own. */
export async function tryCommands(
  make: (random: Random) => Trial,
  {
    trials = 200,
    length = 60,
    seed = 1,
  }: { readonly trials?: number; readonly length?: number; readonly seed?: number } = {},
): Promise<void> {
  for (let trial = 0; trial < trials; trial++) {
    const random = seededRandom(seed + trial);
    const run = make(random);
    const done: string[] = [];
    try {
      for (let i = 0; i < length; i++) {
        const command = run.next(random);
        done.push(command.name);
        await command.run();
        run.check();
      }
    } catch (thrown) {
      const detail = thrown instanceof Error ? thrown.message : String(thrown);
      throw new Error(`seed ${seed + trial}, after: ${done.join(', ')}\n${detail}`, { cause: thrown });
    }
  }
}

export const pick = <T>(random: Random, list: readonly T[]): T => {
  const one = list[Math.floor(random.next() * list.length)];
  if (one === undefined) throw new Error('nothing to pick from');
  return one;
};

export const between = (random: Random, least: number, most: number): number =>
  least + Math.floor(random.next() * (most - least + 1));
