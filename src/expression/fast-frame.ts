import type { Chance } from './builtin.ts';
import { limits } from './limits.ts';
import { bail, isList } from './plain.ts';

/** What one run of the compiled form has at hand. */
export class Frame {
  readonly body: unknown;
  readonly scope: { variable(name: string): unknown };
  readonly locals: unknown[] = [];
  readonly #chanceOf: () => Chance;
  #chance: Chance | undefined;
  visits = 0;

  constructor(body: unknown, scope: { variable(name: string): unknown }, chanceOf: () => Chance) {
    this.body = body;
    this.scope = scope;
    this.#chanceOf = chanceOf;
  }

  get chance(): Chance {
    this.#chance ??= this.#chanceOf();
    return this.#chance;
  }
}

/** A compiled expression or a part of one; `context` is what `$` stands for. */
export type Run = (frame: Frame, context: unknown) => unknown;

export function visit(frame: Frame, count: number): void {
  frame.visits += count;
  if (frame.visits > limits.visits) throw bail;
}

/** Counts what an operation looks through: the entries of a list, and of a long text every hundredth character. */
export function looked(frame: Frame, value: unknown): void {
  if (isList(value)) visit(frame, value.length);
  else if (typeof value === 'string' && value.length > 100) visit(frame, value.length / 100);
}
