import type { ExpressionSource, Report, TemplateSource } from '../core/written.ts';
import { compileExpression, type Expression, ExpressionSyntaxError, functionNames } from '../expression/expression.ts';
import { compileTemplate, type Template } from '../expression/template.ts';
import { nearest } from '../schema/nearest.ts';
import { childPointer } from '../schema/node.ts';
import { listed } from '../schema/wording.ts';

/** The expression, or `undefined` when what is wrong was reported. `variables`: those that it may use. */
export function expressionOf(
  source: ExpressionSource,
  variables: readonly string[],
  report: Report,
): Expression | undefined {
  try {
    const expression = compileExpression(source.text);
    checkVariables(expression, variables, source.pointer, 0, report);
    return expression;
  } catch (thrown) {
    if (!(thrown instanceof ExpressionSyntaxError)) throw thrown;
    const { message, offset, length, suggestion } = thrown;
    report({ severity: 'error', code: 'expression', pointer: source.pointer, message, offset, length, suggestion });
    return undefined;
  }
}

/** A value with holes; what is wrong is reported. */
export function templateOf(source: TemplateSource, variables: readonly string[], report: Report): Template {
  const pointerOf = (path: readonly (string | number)[]): string => path.reduce<string>(childPointer, source.pointer);
  const template = compileTemplate(source.value, source.mode, ({ path, at, ...problem }) =>
    report({ severity: 'error', code: 'expression', pointer: pointerOf(path), at, ...problem }),
  );
  for (const { expression, path, offset } of template.expressions)
    checkVariables(expression, variables, pointerOf(path), offset, report);
  return template;
}

function checkVariables(
  expression: Expression,
  variables: readonly string[],
  pointer: string,
  from: number,
  report: Report,
): void {
  for (const [name, offset] of expression.variables) {
    if (variables.includes(name)) continue;
    const { message, suggestion } = unknownVariable(name, variables);
    report({
      severity: 'error',
      code: 'unknown-variable',
      pointer,
      offset: from + offset,
      length: name.length + 1,
      message,
      suggestion,
    });
  }
}

function unknownVariable(
  name: string,
  variables: readonly string[],
): { readonly message: string; readonly suggestion: string | undefined } {
  const close = nearest(name, [...variables, ...functionNames]);
  if (variables.length === 0 && close === undefined) {
    const message = `There are no variables here: what is known of the call are fields. Write \`${name}\``;
    return { message, suggestion: name };
  }
  const hint =
    close === undefined ? `known here: ${listed(variables.map(dollar), 'and')}` : `did you mean \`$${close}\`?`;
  return { message: `Unknown variable \`$${name}\`; ${hint}`, suggestion: close && dollar(close) };
}

const dollar = (name: string): string => `$${name}`;
