import { watched } from './watchdog.ts';

/** Below this length even the worst pattern ends soon. */
const harmlessText = 10;
/** Above this length the linear engine itself is slow. */
const longText = 65_536;
const batch = 256;

/** A pattern without its classes and escapes, so that what is left are operators. */
const skeleton = (pattern: string): string => pattern.replace(/\\[^k1-9]|\[(?:\\.|[^\]\\])*\]/g, 'x');

/** Why V8's linear engine cannot take over when this pattern backtracks too much; undefined if it can. */
function backtrackingOnly(regex: RegExp): string | undefined {
  const bare = skeleton(regex.source);
  if (/\(\?<?[=!]/.test(bare)) return 'it looks ahead or behind';
  if (/\\[1-9]|\\k</.test(bare)) return 'it refers back to a group';
  if (regex.flags.includes('i') || /\(\?[a-z]*i/.test(bare)) return 'it ignores case';
  if (/\{\d+(?:,\d*)?\}/.test(bare)) return 'it counts repetitions';
  return undefined;
}

/** Whether a pattern can repeat anything at all. */
const repeats = (regex: RegExp): boolean => /[*+?{]/.test(skeleton(regex.source).replaceAll('(?:', '('));

let linear: boolean | undefined;

// The flag can be set in several ways and cannot be read; a pattern that is slow without it tells.
function linearEngine(): boolean {
  if (linear === undefined) {
    try {
      watched(() => /(a+)+$/.exec(`${'a'.repeat(34)}!`), 15);
      linear = true;
    } catch {
      linear = false;
    }
  }
  return linear;
}

/** Whether matching a text of a message needs a watchdog: nothing else bounds its time. */
export function needsWatch(regex: RegExp): boolean {
  if (!/[*+?]|\{\d+,\d*\}/.test(skeleton(regex.source).replaceAll('(?:', '('))) return false;
  return regex.unicode || backtrackingOnly(regex) !== undefined || !linearEngine();
}

/** A warning for the author of a regular expression that can only backtrack by what it asks for. */
export function regexWarning(regex: RegExp): string | undefined {
  const why = backtrackingOnly(regex);
  if (!why?.startsWith('it looks') && !why?.startsWith('it refers')) return undefined;
  return `/${regex.source}/ cannot run in linear time because ${why}: on text that makes it backtrack it is stopped`;
}

/** What the interpreter uses in place of RegExp: the same matches, found under a watchdog where that is needed. */
export class GuardedRegExp {
  lastIndex = 0;
  readonly #regex: RegExp;
  readonly #safe: boolean;
  readonly #linear: boolean;
  #text: string | undefined;
  readonly #found = new Map<number, { match: RegExpExecArray | null; next: number }>();

  constructor(regex: RegExp) {
    this.#regex = new RegExp(regex);
    this.#safe = !repeats(regex);
    this.#linear = !backtrackingOnly(regex);
  }

  exec(text: string): RegExpExecArray | null {
    if (this.#safe || text.length <= harmlessText || (this.#linear && text.length < longText && linearEngine())) {
      return this.#direct(text);
    }
    if (this.#text !== text) {
      this.#text = text;
      this.#found.clear();
    }
    const known = this.#found.get(this.lastIndex);
    if (!known) watched(() => this.#search(text));
    const found = known ?? this.#found.get(this.lastIndex);
    this.lastIndex = found?.next ?? 0;
    return found?.match ?? null;
  }

  #direct(text: string): RegExpExecArray | null {
    this.#regex.lastIndex = this.lastIndex;
    const match = this.#regex.exec(text);
    this.lastIndex = this.#regex.lastIndex;
    return match;
  }

  #search(text: string): void {
    this.#found.clear();
    this.#regex.lastIndex = this.lastIndex;
    for (let count = 0; count < batch; count += 1) {
      const from = this.#regex.lastIndex;
      if (this.#found.has(from)) return; // an empty match stands still: the interpreter refuses it
      const match = this.#regex.exec(text);
      this.#found.set(from, { match, next: this.#regex.lastIndex });
      if (!match) return;
    }
  }
}
