/** The options of all `dead-letters` commands, read and checked. */
import type { ParseArgsConfig } from 'node:util';
import type { Rate } from '../../core/written.ts';
import { definitions, type Which } from '../../flow/dead-letters/desk.ts';
import type { Filter } from '../../flow/dead-letters/query.ts';
import { parseDuration, parseRate } from '../../schema/units.ts';
import { UsageError } from '../usage.ts';

export const options = {
  all: { type: 'boolean', default: false },
  body: { type: 'boolean', default: false },
  code: { type: 'string' },
  flow: { type: 'string' },
  format: { type: 'string', short: 'f', default: 'text' },
  host: { type: 'string' },
  limit: { type: 'string' },
  order: { type: 'string' },
  port: { type: 'string' },
  rate: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
  why: { type: 'string' },
  with: { type: 'string' },
} as const satisfies ParseArgsConfig['options'];

export type Values = {
  readonly [name in keyof typeof options]?:
    | ((typeof options)[name]['type'] extends 'boolean' ? boolean : string)
    | undefined;
};

/** Throws for options that belong to another command. */
export function takes(name: string, values: Values, taken: readonly (keyof Values)[]): void {
  const everywhere: readonly (keyof Values)[] = ['format', 'host', 'port'];
  for (const key of Object.keys(options) as (keyof Values)[]) {
    if (everywhere.includes(key) || taken.includes(key)) continue;
    if (values[key] !== undefined && values[key] !== false)
      throw new UsageError(`dead-letters ${name} takes no --${key}`);
  }
}

export const filters = ['flow', 'code', 'since', 'until'] as const satisfies readonly (keyof Values)[];

export function filterOf(values: Values, now: number): Filter {
  return {
    flow: values.flow,
    code: values.code,
    since: timeOf('since', values.since, now),
    until: timeOf('until', values.until, now),
  };
}

function timeOf(name: string, text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const ago = parseDuration(text).value;
  if (ago !== undefined) return now - ago;
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) {
    throw new UsageError(`--${name} takes how long ago, such as 2h or 7d, or a time such as 2026-05-01T12:00:00Z`);
  }
  return time;
}

export function formatOf({ format = 'text' }: Values): 'text' | 'json' {
  if (format !== 'text' && format !== 'json') throw new UsageError(`--format takes text, json, not ${format}`);
  return format;
}

export function whichOf({ with: which = 'current' }: Values): Which {
  const found = definitions.find((one) => one === which);
  if (!found) throw new UsageError(`--with takes ${definitions.join(', ')}, not ${which}`);
  return found;
}

export function orderOf({ order = 'newest' }: Values): 'newest' | 'oldest' {
  if (order !== 'newest' && order !== 'oldest') throw new UsageError(`--order takes newest, oldest, not ${order}`);
  return order;
}

export function limitOf({ limit = '50' }: Values): number {
  const number = Number(limit);
  if (!Number.isInteger(number) || number < 1) throw new UsageError('--limit takes a whole number from 1');
  return number;
}

export function rateOf({ rate }: Values): Rate | undefined {
  if (rate === undefined) return undefined;
  const parsed = parseRate(rate);
  if (parsed.value !== undefined) return parsed.value;
  const meant = parsed.suggestion === undefined ? '' : `; did you mean ${parsed.suggestion}?`;
  throw new UsageError(`--rate takes a count per time, such as 10/s or 100/m, not ${rate}${meant}`);
}

export function portOf({ port }: Values): number | undefined {
  if (port === undefined) return undefined;
  const number = Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) {
    throw new UsageError('--port takes a number from 1 to 65535');
  }
  return number;
}
