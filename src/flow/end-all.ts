import type { Services } from '../core/exchange.ts';
import { Life } from '../core/life.ts';
import { detailOf, type Failure, failure } from '../errors.ts';

/** How long each may take. */
const endMs = 5_000;

/** Ends all, the last one first. One that fails or hangs keeps no other from being ended. `ended`: the word for the log. */
export async function endAll<T>(
  all: ReadonlyMap<string, T>,
  ended: 'stopped' | 'closed',
  end: (one: T) => Promise<void>,
  { clock, log }: Pick<Services, 'clock' | 'log'>,
): Promise<void> {
  const late = (): Failure => failure('timeout', { what: 'It', ms: endMs });
  const life = new Life(clock, { deadline: clock.monotonic() + endMs, late });
  const ending = [...all].reverse().map(async ([what, one]) => {
    try {
      await life.race(end(one));
    } catch (thrown) {
      log.error(`something could not be ${ended}`, { what, detail: detailOf(thrown) });
    }
  });
  await Promise.all(ending);
  life.end();
}
