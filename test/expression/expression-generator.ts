/** Random expressions and inputs, the same for the same seed. */

export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const names = ['a', 'b', 'c', 'items', 'x', '`odd name`', 'toString', '__proto__', 'length'];
const variables = ['$v', '$list', '$', '$$', '$missing'];
const literals = ['1', '0', '-2.5', '1e3', '0.1', '"a"', '""', '"x y"', 'true', 'false', 'null', '[]', '[1, "a"]'];
const operators = ['=', '!=', '<', '<=', '>', '>=', '+', '-', '*', '/', '%', '&', 'and', 'or', 'in', '??', '?:'];
const functions: readonly (readonly [string, number])[] = [
  ...[
    'exists',
    'not',
    'boolean',
    'string',
    'number',
    'count',
    'uppercase',
    'lowercase',
    'length',
    'sum',
    'average',
  ].map((name) => [name, 1] as const),
  ...['max', 'min', 'floor', 'ceil', 'abs', 'round', 'join', 'merge'].map((name) => [name, 1] as const),
  ...['contains', 'substringBefore', 'substringAfter', 'substring', 'join', 'round'].map((name) => [name, 2] as const),
  ['substring', 3],
];

export class Generator {
  readonly random: () => number;
  /** How many blocks around have bound `$y`. */
  #bound = 0;

  constructor(seed: number) {
    this.random = randomFrom(seed);
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)] as T;
  }

  #path(depth: number): string {
    const first = this.random() < 0.3 ? this.#variable() : this.pick(names);
    const steps = Array.from({ length: Math.floor(this.random() * 3) }, () => this.#step(depth));
    const path = [first + this.#predicate(depth), ...steps].join('.');
    return this.random() < 0.08 ? `(${path}[])` : path; // bare, a `/` behind it would begin a regular expression
  }

  #variable(): string {
    return this.#bound > 0 && this.random() < 0.6 ? '$y' : this.pick(variables);
  }

  #step(depth: number): string {
    if (this.random() < 0.15 && depth > 0) return this.#object(depth - 1);
    if (this.random() < 0.08 && depth > 0) return `$string(${this.expression(depth - 1)})`;
    if (this.random() < 0.08 && depth > 0) return this.#block(depth - 1) + this.#predicate(depth);
    return this.pick(names) + this.#predicate(depth);
  }

  #predicate(depth: number): string {
    if (depth <= 0 || this.random() > 0.2) return '';
    return `[${this.random() < 0.4 ? this.pick(['0', '-1', '1', '1.7', '5']) : this.expression(depth - 1)}]`;
  }

  #object(depth: number): string {
    const entries = Array.from({ length: Math.floor(this.random() * 4) }, (_, index) => {
      const key = this.random() < 0.9 ? this.pick([`"k${index}"`, `"${9 - index}"`]) : this.expression(0);
      return `${key}: ${this.expression(depth)}`;
    });
    return `{${entries.join(', ')}}`;
  }

  #block(depth: number): string {
    if (this.random() < 0.4) return `(${this.expression(depth)})`;
    const bound = `$y := ${this.expression(depth)}`;
    this.#bound += 1;
    const then = this.random() < 0.3 ? `${this.expression(depth)} & $y` : this.expression(depth);
    this.#bound -= 1;
    return `(${bound}; ${then})`;
  }

  expression(depth: number): string {
    const roll = this.random();
    if (depth <= 0) return roll < 0.4 ? this.pick(literals) : this.#path(0);
    if (roll < 0.3) return this.#path(depth);
    if (roll < 0.55) return `(${this.expression(depth - 1)}) ${this.pick(operators)} (${this.expression(depth - 1)})`;
    if (roll < 0.65) return `${this.expression(depth - 1)} ${this.pick(operators)} ${this.expression(depth - 1)}`;
    if (roll < 0.75) return this.#object(depth - 1);
    if (roll < 0.8) return `[${[1, 2].map(() => this.expression(depth - 1)).join(', ')}]`;
    if (roll < 0.87) {
      const parts = [1, 2, 3].map(() => this.expression(depth - 1));
      return `(${parts[0]}) ? (${parts[1]}) : (${parts[2]})`;
    }
    if (roll < 0.91) return this.#block(depth - 1);
    if (roll < 0.93) return `-(${this.expression(depth - 1)})`;
    if (roll < 0.95) return `$merge([${this.#object(depth - 1)}, ${this.#path(0)}])`;
    const [name, count] = this.pick(functions);
    return `$${name}(${Array.from({ length: count }, () => this.expression(depth - 1)).join(', ')})`;
  }

  value(depth: number): unknown {
    const roll = this.random();
    if (depth <= 0 || roll < 0.3) {
      return this.pick([1, 0, -3, 2.5, 0.1 + 0.2, 1e21, '', 'a', 'x y', '12', '😀é', true, false, null]);
    }
    if (roll < 0.55) return Array.from({ length: Math.floor(this.random() * 4) }, () => this.value(depth - 1));
    return this.object(depth - 1);
  }

  object(depth: number): Record<string, unknown> {
    const made: Record<string, unknown> = {};
    for (const name of ['a', 'b', 'c', 'items', 'x', 'odd name', 'length']) {
      if (this.random() < 0.6) made[name] = this.value(depth);
    }
    // What most messages hold: a list of objects.
    if (this.random() < 0.4 && depth > 0) made.items = [1, 2, 3].map(() => this.object(depth - 1));
    return made;
  }
}
