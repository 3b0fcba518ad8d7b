import { systemClock } from '../../core/clock.ts';
import type { DeadLetterDesk } from '../../flow/dead-letters/desk.ts';
import { UsageError } from '../usage.ts';
import { filterOf, filters, type Values } from './options.ts';

const pageSize = 1000;

/** Which letters a command is to handle: those named, or all that fit, the oldest first. */
export function selection(
  name: string,
  ids: readonly string[],
  values: Values,
): (desk: DeadLetterDesk) => Promise<readonly string[]> {
  const filtered = filters.some((key) => values[key] !== undefined);
  if (ids.length > 0 && (filtered || values.all)) {
    throw new UsageError(`name the letters to ${name}, or give a filter or --all: not both`);
  }
  if (ids.length > 0) return async () => [...new Set(ids)];
  if (!filtered && !values.all) {
    throw new UsageError(`say which letters to ${name}: their IDs, a filter such as --flow or --since, or --all`);
  }
  const now = systemClock.now();
  const filter = filterOf(values, now);
  return async (desk) => {
    const found: string[] = [];
    let after: string | undefined;
    do {
      const page = await desk.list({ ...filter, order: 'oldest', limit: pageSize, after });
      // Only a person can undo by hand: `--all` means messages.
      found.push(...page.letters.filter(({ type }) => type === 'message').map(({ id }) => id));
      after = page.next;
    } while (after !== undefined);
    return found;
  };
}
