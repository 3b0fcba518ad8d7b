import type { Expression } from '../expression/expression.ts';
import type { Evaluate } from '../steps/step.ts';
import { ExchangeScope } from './scope.ts';

export const literal = (value: unknown): { constant: { readonly value: unknown }; evaluate: Evaluate } => ({
  constant: { value },
  evaluate: () => value,
});

/** An expression, ready to be asked about messages. */
export function bound(expression: Expression): Evaluate {
  const { constant } = expression;
  if (constant) return () => constant.value;
  return (exchange) => expression.evaluate(new ExchangeScope(exchange));
}
