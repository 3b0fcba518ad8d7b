import { createRequire } from 'node:module';

/**
 * The only importer of croner. It is asked for the next time and nothing else; it is loaded when the first cron
 * expression is looked at, and synchronously, because the check of the options is.
 */
const load = createRequire(import.meta.url);
const pattern = (text: string, timezone: string) => {
  const { Cron } = load('croner') as typeof import('croner');
  return new Cron(text, { timezone, mode: '5-or-6-parts', paused: true });
};

const examples =
  'for example "0 2 * * *" (minute, hour, day of month, month, weekday), or with seconds in front "30 0 2 * * *"';

/** Milliseconds since the epoch of the first time after `from`; `undefined` when there is none. */
export function cronTimes(text: string, timezone: string): (from: number) => number | undefined {
  const job = pattern(text, timezone);
  return (from) => job.nextRun(new Date(from))?.getTime();
}

/** What is wrong with a cron expression, in words; `undefined` = nothing. */
export function cronProblem(text: string): string | undefined {
  const fields = text.trim() === '' ? 0 : text.trim().split(/\s+/).length;
  const complain = (detail: string): string =>
    `${JSON.stringify(text)} is not a cron expression: ${detail}; ${examples}`;
  if (text.trim().startsWith('@')) return complain('nicknames are not known');
  if (fields !== 5 && fields !== 6)
    return complain(`it has ${fields} ${fields === 1 ? 'field' : 'fields'} instead of 5 or 6`);
  try {
    // Any day will do: within the years that follow, every pattern that has a time at all shows one.
    const next = cronTimes(text, 'UTC')(Date.UTC(2026, 0, 1));
    return next === undefined ? complain('it names a day that never comes') : undefined;
  } catch (thrown) {
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    const plain = detail.replace(/^\w+: /, '').replace(/\.$/, '');
    return complain(plain.charAt(0).toLowerCase() + plain.slice(1));
  }
}

/** What is wrong with the name of a time zone, and the zone of that city where there is one. */
export function timezoneProblem(
  name: string,
): { readonly message: string; readonly suggestion: string | undefined } | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return undefined;
  } catch {
    const city = (name.split('/').at(-1) ?? name).replaceAll(' ', '_').toLowerCase();
    const suggestion = Intl.supportedValuesOf('timeZone').find((zone) => zone.toLowerCase().split('/').at(-1) === city);
    return {
      message: `${JSON.stringify(name)} is not an IANA time zone; for example ${suggestion ?? 'Europe/Berlin'}`,
      suggestion,
    };
  }
}
