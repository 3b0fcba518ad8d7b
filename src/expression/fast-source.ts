import { looked, type Run, visit } from './fast-frame.ts';
import { fastFunctions } from './fast-functions.ts';
import * as runtime from './fast-runtime.ts';
import * as walking from './fast-walk.ts';
import * as plain from './plain.ts';

/** Thrown at compile time: this expression is the interpreter's. */
export const notFast: { readonly notFast: true } = { notFast: true };

/** What the written text can use, under these names; `f`, `c`, and `s` and `t` with a number are its own. */
const library = {
  ...plain,
  ...runtime,
  ...walking,
  visit,
  looked,
  prototypeOf: Object.getPrototypeOf,
  ordinary: Object.prototype,
};

type Helper = keyof typeof library;

/** A value of JSON as JavaScript. */
export const literal = (value: unknown): string => (Object.is(value, -0) ? '-0' : JSON.stringify(value));

/** One after the other; the last one is the value. */
export const sequence = (...written: readonly string[]): string => `(${written.join(', ')})`;

/**
 * The text of one function `(f, c) => …` under way: `f` is its Frame, `c` what `$` stands for. Whatever is written is one
 * JavaScript expression; what it has to keep, it keeps in a temporary.
 */
export interface Place {
  readonly source: Source;
  /** The slots of the variables bound so far, in `f.locals`. */
  readonly slots: ReadonlyMap<string, number>;
  /** The name of a new local variable of the function. */
  readonly temporary: () => string;
}

/** The JavaScript of one expression. Text of the user gets into it only as `literal`. */
export class Source {
  readonly #names = new Map<string, string>();
  readonly #used = new Set<Helper>();
  #slots = 0;

  /** The name of something of the library. */
  use(name: Helper): string {
    this.#used.add(name);
    return name;
  }

  /** A call of a function of the library. */
  call(name: Helper, ...written: readonly string[]): string {
    return `${this.use(name)}(${written.join(', ')})`;
  }

  slot(): number {
    this.#slots += 1;
    return this.#slots - 1;
  }

  /** The name of a constant with this value; the same text has one name. */
  constant(text: string): string {
    const name = this.#names.get(text) ?? `s${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }

  /** The name of a function whose result is what `write` writes. */
  run(slots: ReadonlyMap<string, number>, write: (place: Place) => string): string {
    const temporaries: string[] = [];
    const temporary = (): string => {
      const name = `t${temporaries.length}`;
      temporaries.push(name);
      return name;
    };
    const result = write({ source: this, slots, temporary });
    const declared = temporaries.length === 0 ? '' : `let ${temporaries.join(', ')}; `;
    return this.constant(`(f, c) => { ${declared}return ${result}; }`);
  }

  /** Makes it a function; undefined where the process was told to make no functions of texts, or it is nested too deep. */
  load(main: string): Run | undefined {
    const constants = [...this.#names].map(([text, name]) => `const ${name} = ${text};\n`);
    try {
      const preamble = `"use strict"; const { ${[...this.#used].join(', ')} } = library;\n`;
      const make = new Function('library', 'functions', `${preamble}${constants.join('')}return ${main};`);
      return make(library, fastFunctions) as Run;
    } catch (thrown) {
      if (thrown instanceof EvalError || thrown instanceof RangeError) return undefined;
      throw thrown;
    }
  }
}
