import { type Clock, sleep, systemClock } from '../../core/clock.ts';
import { TokenBucket } from '../../core/token-bucket.ts';
import type { Rate } from '../../core/written.ts';
import { Failure, failure, toFailure } from '../../errors.ts';
import type { DeadLetterDesk, Replay, Which } from '../../flow/dead-letters/desk.ts';
import { exitCode } from '../exit-codes.ts';
import { print, say } from '../output.ts';
import { type Command, isUnavailable } from './command.ts';
import { noneFound } from './none.ts';
import { filters, formatOf, rateOf, takes, whichOf } from './options.ts';
import { selection } from './select.ts';
import { oneLine } from './text.ts';

const atOnce = 20;

type Result =
  | Replay
  | { readonly outcome: 'refused'; readonly id: string; readonly code: string; readonly detail: string };

export const replay: Command = {
  ids: 'many',
  prepare(ids, values) {
    takes('replay', values, [...filters, 'all', 'with', 'rate']);
    const [format, which, rate] = [formatOf(values), whichOf(values), rateOf(values)];
    const select = selection('replay', ids, values);
    return async ({ desk, flows, ending }) => {
      const results: Result[] = [];
      const tell = (result: Result): void => {
        results.push(result);
        if (format === 'text') print(lineOf(result));
      };
      const stopped = await replayAll(await select(desk), { desk, which, rate, tell, clock: systemClock, ending });
      const count = (outcome: Result['outcome']): number => results.filter((one) => one.outcome === outcome).length;
      const [done, failed, refused] = [count('done'), count('failed'), count('refused')];
      if (format === 'json') print(`${JSON.stringify({ letters: results, done, failed, refused }, null, 2)}\n`);
      say(
        results.length === 0 && !stopped
          ? noneFound(values, flows)
          : `${done} done, ${failed} failed again, ${refused} not replayed`,
      );
      if (stopped) throw stopped;
      return failed + refused === 0 ? exitCode.done : exitCode.findings;
    };
  },
};

interface Work {
  readonly desk: DeadLetterDesk;
  readonly which: Which;
  readonly rate: Rate | undefined;
  readonly tell: (result: Result) => void;
  readonly clock: Clock;
  readonly ending: AbortSignal | undefined;
}

/** In their order, some at once, at most as fast as `rate`. Yields why it broke off, if it did. */
async function replayAll(
  ids: readonly string[],
  { desk, which, rate, tell, clock, ending }: Work,
): Promise<Failure | undefined> {
  const bucket = rate && new TokenBucket(rate, 1, clock);
  let begun = 0;
  let stopped: Failure | undefined;
  // One after the other takes its turn: so many are begun in a time, not so many by each.
  let turn: Promise<unknown> = Promise.resolve();
  const next = async (): Promise<string | undefined> => {
    if (stopped || begun === ids.length) return undefined;
    const wait = bucket?.take(Number.POSITIVE_INFINITY);
    if (wait && 'wait' in wait && wait.wait > 0) await sleep(clock, wait.wait, ending);
    return stopped ? undefined : ids[begun++];
  };
  const work = async (): Promise<void> => {
    for (;;) {
      const mine = turn.then(next);
      turn = mine.catch(() => {});
      const id = await mine;
      if (id === undefined) return;
      const result = await desk.replay(id, which).catch(toFailure);
      if (!(result instanceof Failure)) tell(result);
      else if (isUnavailable(result)) stopped ??= result;
      else tell({ outcome: 'refused', id, code: result.code, detail: result.message });
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: Math.min(atOnce, ids.length) }, work));
  // Only waiting can be cut off.
  return ended.some(({ status }) => status === 'rejected') ? (stopped ?? failure('stopping')) : stopped;
}

function lineOf(result: Result): string {
  if (result.outcome === 'done') return `${result.id}  done\n`;
  if (result.outcome === 'refused') return `${result.id}  not replayed: ${oneLine(result.detail)}\n`;
  const { code, detail, attempts } = result.letter;
  return `${result.id}  failed again: ${code}: ${oneLine(detail)} (${attempts} attempts so far)\n`;
}
