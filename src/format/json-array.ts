/** A JSON text that is one list → its elements, as the text comes in. */
import { Failure } from '../errors.ts';
import { parseJson } from './json.ts';
import { malformedRecord, type OnRecord, type RecordReader, tooLong } from './records.ts';

type State =
  /** Nothing but blanks so far. */
  | 'before'
  /** An element, or the end of an empty list. */
  | 'first'
  | 'element'
  | 'in'
  | 'after';

const isBlank = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

export class JsonArrayReader implements RecordReader {
  readonly #onRecord: OnRecord;
  readonly #longest: number;
  #state: State | 'end' = 'before';
  /** From the beginning of the element that is being read. */
  #text = '';
  /** How much of it was looked at. */
  #at = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #line = 1;
  #elementLine = 1;

  constructor(onRecord: OnRecord, longest = Number.POSITIVE_INFINITY) {
    this.#onRecord = onRecord;
    this.#longest = longest;
  }

  write(text: string): void {
    const whole = this.#text + text;
    let start = this.#state === 'in' ? 0 : whole.length;
    for (let at = this.#at; at < whole.length; at++) {
      const code = whole.charCodeAt(at);
      if (code === 0x0a) this.#line++;
      if (this.#state === 'in') {
        if (!this.#ends(code)) continue;
        this.#give(whole.slice(start, at));
        start = whole.length;
        this.#state = 'after';
      }
      if (this.#outside(code)) continue;
      start = at;
      this.#state = 'in';
      this.#elementLine = this.#line;
      this.#ends(code);
    }
    this.#text = whole.slice(start);
    this.#at = this.#text.length;
    if (this.#at > this.#longest) throw tooLong('json', 'value', this.#elementLine, this.#longest);
  }

  end(): void {
    if (this.#state === 'end') return;
    const what = this.#state === 'before' ? 'a list begins with [' : 'the list does not end: a ] is missing';
    throw this.#malformed(what);
  }

  /** Whether an element ends before this character. */
  #ends(code: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (code === 0x5c) this.#escaped = true;
      else if (code === 0x22) this.#inString = false;
      return false;
    }
    if (code === 0x22) this.#inString = true;
    else if (code === 0x7b || code === 0x5b) this.#depth++;
    else if (code === 0x7d || code === 0x5d) {
      if (this.#depth === 0) return true;
      this.#depth--;
    } else if (code === 0x2c) return this.#depth === 0;
    return false;
  }

  /** Whether this character stands between elements; else one begins with it. */
  #outside(code: number): boolean {
    if (isBlank(code)) return true;
    const state = this.#state;
    if (state === 'end') throw this.#malformed('nothing may stand behind the list');
    if (state === 'before') {
      if (code !== 0x5b) throw this.#malformed('a list begins with [');
      this.#state = 'first';
      return true;
    }
    if (code === 0x5d && state !== 'element') {
      this.#state = 'end';
      return true;
    }
    if (state === 'after' && code === 0x2c) {
      this.#state = 'element';
      return true;
    }
    if (state === 'after' || code === 0x2c || code === 0x5d) throw this.#malformed('a value is missing');
    return false;
  }

  #give(text: string): void {
    const line = this.#elementLine;
    if (text.length > this.#longest) {
      this.#onRecord({ problem: tooLong('json', 'value', line, this.#longest), line });
      return;
    }
    try {
      this.#onRecord({ value: parseJson(text), line });
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
      this.#onRecord({ problem: malformedRecord('json', `line ${line}: ${thrown.facts['detail']}`), line });
    }
  }

  #malformed(what: string): Failure {
    return malformedRecord('json', `line ${this.#line}: ${what}`);
  }
}
