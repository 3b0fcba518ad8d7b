import assert from 'node:assert/strict';
import { Failure } from '../../src/errors.ts';
import type { Scope } from '../../src/expression/expression.ts';
import { compileExpression, ExpressionSyntaxError } from '../../src/expression/expression.ts';

type Values = Readonly<Record<string, unknown>>;

/** What a message offers: its clock stands at 2023-11-14T22:13:20.123Z. */
export function scopeOf(body: unknown, variables: Values = {}): Scope {
  return {
    body: () => body,
    variable: (name) => variables[name],
    now: () => 1_700_000_000_123,
    random: () => 0.25,
    uuid: () => 'f81d4fae-7dec-41d0-a765-00a0c91e6bf6',
  };
}

export async function evaluate(source: string, body?: unknown, variables?: Values): Promise<unknown> {
  return compileExpression(source).evaluate(scopeOf(body, variables));
}

/** The failure of the message when the expression is evaluated. */
export async function failureOf(source: string, body?: unknown, variables?: Values): Promise<Failure> {
  try {
    const value = await evaluate(source, body, variables);
    assert.fail(`${source} yielded ${JSON.stringify(value)}`);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

export function syntaxErrorOf(source: string): ExpressionSyntaxError {
  try {
    compileExpression(source);
  } catch (error) {
    if (error instanceof ExpressionSyntaxError) return error;
    throw error;
  }
  return assert.fail(`${source} was accepted`);
}
