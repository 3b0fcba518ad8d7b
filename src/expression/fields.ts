import type { Node } from './ast.ts';
import { children } from './ast.ts';

/** `$headers.accept`: a variable and the names that follow it. */
export interface Fields {
  readonly variable: string;
  /** Where its dollar stands. */
  readonly offset: number;
  readonly names: readonly { readonly name: string; readonly start: number; readonly end: number }[];
}

/** Every variable in an expression of which a field is taken. */
export function fieldsOf(node: Node): readonly Fields[] {
  const [first, ...rest] = node.type === 'path' ? (node.steps ?? []) : [];
  const inner = children(node).flatMap(fieldsOf);
  if (first?.type !== 'variable' || first.position === undefined) return inner;
  const variable = String(first.value);
  const offset = first.position - variable.length - 1;
  const names: { name: string; start: number; end: number }[] = [];
  let start = first.position + 1;
  for (const step of rest) {
    if (step.type !== 'name' || step.position === undefined) break;
    names.push({ name: String(step.value), start, end: step.position });
    // What refines a name stands between it and the next one.
    if (step.stages || step.predicate) break;
    start = step.position + 1;
  }
  return names.length === 0 ? inner : [{ variable, offset, names }, ...inner];
}
