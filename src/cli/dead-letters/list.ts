import { systemClock } from '../../core/clock.ts';
import type { LetterSummary } from '../../flow/dead-letters/views.ts';
import { exitCode } from '../exit-codes.ts';
import { print, say } from '../output.ts';
import type { Command } from './command.ts';
import { noneFound } from './none.ts';
import { filterOf, filters, formatOf, limitOf, orderOf, takes } from './options.ts';
import { oneLine, table } from './text.ts';

const pageSize = 200;

export const list: Command = {
  ids: 'none',
  prepare(_ids, values) {
    takes('list', values, [...filters, 'limit', 'order']);
    const [format, limit, order] = [formatOf(values), limitOf(values), orderOf(values)];
    const filter = filterOf(values, systemClock.now());
    return async ({ desk, integration, flows }) => {
      const letters: LetterSummary[] = [];
      let after: string | undefined;
      do {
        const page = await desk.list({ ...filter, order, limit: Math.min(pageSize, limit - letters.length), after });
        letters.push(...page.letters);
        after = page.next;
      } while (after !== undefined && letters.length < limit);
      const more = after !== undefined;
      if (format === 'json') print(`${JSON.stringify({ integration, letters, more }, null, 2)}\n`);
      else if (letters.length > 0) print(asText(letters));
      else say(noneFound(values, flows));
      if (more && format === 'text') say(`There may be more: --limit ${limit * 10}, or a filter`);
      return exitCode.done;
    };
  },
};

const asText = (letters: readonly LetterSummary[]): string =>
  table([
    ['ID', 'FAILED', 'FLOW', 'CODE', 'ATTEMPTS', 'DETAIL'],
    ...letters.map(({ id, type, failedAt, flow, code, attempts, detail }) => [
      id,
      failedAt.replace(/\.\d+Z$/, 'Z'),
      flow,
      code,
      String(attempts),
      oneLine(type === 'undo' ? `to be undone by hand: ${detail}` : detail).slice(0, 200),
    ]),
  ]);
