import { toFailure } from '../../errors.ts';
import { exitCode } from '../exit-codes.ts';
import { print, say } from '../output.ts';
import { UsageError } from '../usage.ts';
import { type Command, isUnavailable } from './command.ts';
import { noneFound } from './none.ts';
import { filters, formatOf, takes } from './options.ts';
import { selection } from './select.ts';
import { oneLine } from './text.ts';

interface Result {
  readonly id: string;
  readonly outcome: 'discarded' | 'refused';
  readonly code?: string;
  readonly detail?: string;
}

export const discard: Command = {
  ids: 'many',
  prepare(ids, values) {
    takes('discard', values, [...filters, 'all', 'why']);
    const format = formatOf(values);
    const why = values.why?.trim();
    if (!why) throw new UsageError('say why, as in --why "sent again by hand": it is logged');
    const select = selection('discard', ids, values);
    return async ({ desk, flows }) => {
      const results: Result[] = [];
      for (const id of await select(desk)) {
        const error = await desk.discard(id, why).then(() => undefined, toFailure);
        if (error && isUnavailable(error)) throw error;
        results.push(
          error ? { id, outcome: 'refused', code: error.code, detail: error.message } : { id, outcome: 'discarded' },
        );
        if (format === 'text') print(`${id}  ${error ? `not discarded: ${oneLine(error.message)}` : 'discarded'}\n`);
      }
      const refused = results.filter(({ outcome }) => outcome === 'refused').length;
      const discarded = results.length - refused;
      if (format === 'json') print(`${JSON.stringify({ letters: results, discarded, refused }, null, 2)}\n`);
      say(results.length === 0 ? noneFound(values, flows) : `${discarded} discarded, ${refused} not`);
      return refused === 0 ? exitCode.done : exitCode.findings;
    };
  },
};
