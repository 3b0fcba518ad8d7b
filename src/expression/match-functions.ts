import type { Focus } from './builtin.ts';
import { meterOf, problem } from './builtin.ts';

interface Match {
  readonly match: string;
  readonly start: number;
  readonly end: number;
  readonly groups: readonly (string | undefined)[];
  readonly next: () => unknown;
}

type Matcher = (this: Focus, text: string) => unknown;
type Replacer = (this: Focus, match: Match) => unknown;

function asMatch(value: unknown): Match | undefined {
  if (!value) return undefined;
  const match = value as Match;
  const known =
    typeof match.start === 'number' ||
    typeof (match as { end?: unknown }).end === 'number' ||
    Array.isArray(match.groups) ||
    typeof match.next === 'function';
  if (!known) throw problem('T1010');
  return match;
}

// The library's own loops never let the event loop go on: a match costs microtasks only.
async function* matches(focus: Focus, matcher: Matcher, text: string, limit: number | undefined) {
  const meter = meterOf(focus.environment);
  let match = asMatch(await Reflect.apply(matcher, focus, [text]));
  for (let count = 0; match && (limit === undefined || count < limit); count += 1) {
    yield match;
    const pause = meter.tick();
    if (pause) await pause;
    match = asMatch(await Reflect.apply(match.next, focus, []));
  }
}

function assertCount(limit: number | undefined, code: string, index: number): void {
  if (limit !== undefined && limit < 0) throw problem(code, { index });
}

export async function match(this: Focus, text: string | undefined, pattern: Matcher, limit?: number) {
  if (text === undefined) return undefined;
  assertCount(limit, 'D3040', 3);
  const found = this.createSequence();
  if (limit !== undefined && limit <= 0) return found;
  for await (const one of matches(this, pattern, text, limit)) {
    // Without a prototype, as all that the interpreter makes: a group that matched nothing is seen to at the end.
    found.push(Object.assign(Object.create(null), { match: one.match, index: one.start, groups: one.groups }));
  }
  return found;
}

/** `$0`, `$1` … in a replacement; `$$` is a dollar. */
function substitute(template: string, match: Match): string {
  const { groups } = match;
  const digits = groups.length === 0 ? 1 : Math.floor(Math.log(groups.length) * Math.LOG10E) + 1;
  let text = '';
  let position = 0;
  let index = template.indexOf('$');
  while (index !== -1 && position < template.length) {
    text += template.substring(position, index);
    position = index + 1;
    const next = template.charAt(position);
    if (next === '$' || next === '0') {
      text += next === '$' ? '$' : match.match;
      position += 1;
    } else {
      let group = Number.parseInt(template.substring(position, position + digits), 10);
      if (digits > 1 && group > groups.length) {
        group = Number.parseInt(template.substring(position, position + digits - 1), 10);
      }
      if (Number.isNaN(group)) text += '$';
      else {
        text += groups[group - 1] ?? '';
        position += String(group).length;
      }
    }
    index = template.indexOf('$', position);
  }
  return text + template.substring(position);
}

/** A text made of pieces that may not grow too long. */
class Pieces {
  readonly #focus: Focus;
  #text = '';

  constructor(focus: Focus) {
    this.#focus = focus;
  }

  add(piece: string): void {
    this.#text += piece;
    meterOf(this.#focus.environment).joined(this.#text.length);
  }

  toString(): string {
    return this.#text;
  }
}

function replaceText(focus: Focus, text: string, pattern: string, replacement: string, limit?: number): string {
  const pieces = new Pieces(focus);
  let position = 0;
  let index = text.indexOf(pattern);
  for (let count = 0; index !== -1 && (limit === undefined || count < limit); count += 1) {
    pieces.add(text.substring(position, index));
    pieces.add(replacement);
    position = index + pattern.length;
    index = text.indexOf(pattern, position);
  }
  pieces.add(text.substring(position));
  return pieces.toString();
}

export async function replace(
  this: Focus,
  text: string | undefined,
  pattern: string | Matcher,
  replacement: string | Replacer,
  limit?: number,
) {
  if (text === undefined) return undefined;
  if (pattern === '') throw problem('D3010', { index: 2 });
  assertCount(limit, 'D3011', 4);
  if (limit !== undefined && limit <= 0) return text;
  if (typeof pattern === 'string') return replaceText(this, text, pattern, String(replacement), limit);
  const pieces = new Pieces(this);
  let position = 0;
  for await (const one of matches(this, pattern, text, limit)) {
    pieces.add(text.substring(position, one.start));
    const by =
      typeof replacement === 'string'
        ? substitute(replacement, one)
        : await Reflect.apply(replacement as Replacer, this, [one]);
    if (typeof by !== 'string') throw problem('D3012', { value: by });
    pieces.add(by);
    position = one.start + one.match.length;
  }
  pieces.add(text.substring(position));
  return pieces.toString();
}

export async function split(this: Focus, text: string | undefined, separator: string | Matcher, limit?: number) {
  if (text === undefined) return undefined;
  assertCount(limit, 'D3020', 3);
  if (limit !== undefined && limit <= 0) return [];
  if (typeof separator === 'string') return text.split(separator, limit);
  const parts: string[] = [];
  let start = 0;
  for await (const one of matches(this, separator, text, limit)) {
    parts.push(text.substring(start, one.start));
    start = one.end;
  }
  if (limit === undefined || parts.length < limit) parts.push(text.substring(start));
  return parts;
}
