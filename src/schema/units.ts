import type { Rate } from '../core/written.ts';

/** A value, or in words why there is none, and what to write instead where that can be guessed. */
export type Parsed<T> =
  | { readonly value: T }
  | { readonly value?: undefined; readonly problem: string; readonly suggestion?: string };

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const durationWords: Readonly<Record<string, string>> = {
  msec: 'ms',
  millis: 'ms',
  millisecond: 'ms',
  milliseconds: 'ms',
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  min: 'm',
  mins: 'm',
  minute: 'm',
  minutes: 'm',
  hr: 'h',
  hrs: 'h',
  hour: 'h',
  hours: 'h',
  day: 'd',
  days: 'd',
};

const sizeUnits: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

const sizeWords: Readonly<Record<string, string>> = {
  byte: 'b',
  bytes: 'b',
  k: 'kb',
  kib: 'kb',
  m: 'mb',
  mib: 'mb',
  g: 'gb',
  gib: 'gb',
};

const rateUnits: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const durationHelp = 'a duration is a number with a unit: `500ms`, `5s`, `2m`, `1h` or `7d`';
const sizeHelp = 'a size is a number with a unit: `512b`, `64kb`, `1mb` or `2gb`';
const rateHelp = 'a rate is a count per time: `10/s`, `600/m`, `1000/h` or `5000/d`';

// setTimeout and broker clients count milliseconds in 32 bits; a hundred years is beyond any use and still exact.
const longest = 100 * 365 * 86_400_000;

function quantity(
  text: string,
  units: Readonly<Record<string, number>>,
  words: Readonly<Record<string, string>>,
  help: string,
): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim());
  const [, number, unit] = match ?? [];
  if (number === undefined || unit === undefined) return { problem: help };
  const factor = units[unit];
  if (factor === undefined || text !== `${number}${unit}`) {
    const lower = unit.toLowerCase();
    const meant = Object.hasOwn(units, lower) ? lower : words[lower];
    return meant === undefined ? { problem: help } : { problem: help, suggestion: `${number}${meant}` };
  }
  const value = Number(number) * factor;
  if (!Number.isInteger(value)) return { problem: `${help}; whole ones only, in a smaller unit if need be` };
  return { value };
}

/** `500ms`, `5s`, `2m`, `1h`, `7d` as milliseconds. */
export function parseDuration(text: string): Parsed<number> {
  // A number alone is seconds to most systems; as thousands of them it is milliseconds.
  if (/^[1-9]\d*$/.test(text)) return { problem: durationHelp, suggestion: `${text}${text.length > 3 ? 'ms' : 's'}` };
  const parsed = quantity(text, durationUnits, durationWords, durationHelp);
  return parsed.value !== undefined && parsed.value > longest ? { problem: 'the longest duration is 36500d' } : parsed;
}

/** `512b`, `64kb`, `1mb`, `2gb` as bytes; a kilobyte has 1024. */
export function parseSize(text: string): Parsed<number> {
  const parsed = quantity(text, sizeUnits, sizeWords, sizeHelp);
  return parsed.value !== undefined && !Number.isSafeInteger(parsed.value)
    ? { problem: 'the size is too large' }
    : parsed;
}

/** `10/s`, `600/m`, `1000/h`, `5000/d`. */
export function parseRate(text: string): Parsed<Rate> {
  const [, count, unit] = /^(\d+)\/([a-z]+)$/.exec(text) ?? [];
  const per = unit === undefined ? undefined : rateUnits[unit];
  if (count !== undefined && per !== undefined && Number(count) > 0) return { value: { count: Number(count), per } };
  const [, loose, word] = /^(\d+)\s*(?:\/|per)\s*([A-Za-z]+)$/.exec(text.trim()) ?? [];
  const meant = word === undefined ? undefined : (durationWords[word.toLowerCase()] ?? word.toLowerCase());
  return loose !== undefined && meant !== undefined && Object.hasOwn(rateUnits, meant) && Number(loose) > 0
    ? { problem: rateHelp, suggestion: `${Number(loose)}/${meant}` }
    : { problem: rateHelp };
}

/** Text that `parseDuration` reads as these milliseconds, in the largest unit that fits. */
export function formatDuration(ms: number): string {
  for (const [unit, factor] of Object.entries(durationUnits).reverse()) {
    if (ms >= factor && ms % factor === 0) return `${ms / factor}${unit}`;
  }
  return `${ms}ms`;
}

/** Text that `parseSize` reads as these bytes, in the largest unit that fits. */
export function formatSize(bytes: number): string {
  for (const [unit, factor] of Object.entries(sizeUnits).reverse()) {
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return `${bytes}b`;
}
