import { type Node, operands, pairs, some } from './ast.ts';
import { functionNames } from './builtins.ts';

/** What JSONata takes, and what can hardly be meant. `start` and `end` are offsets of what is marked. */
export type Oddity = {
  readonly start: number;
  readonly end: number;
} /** `contains(a, 'x')`, and `a.trim()` as a `method`: the name is that of a field. */ & (
  | { readonly kind: 'call'; readonly name: string; readonly method: boolean }
  /** `'a' + b` */
  | { readonly kind: 'text-in-sum'; readonly operator: string }
  /** `a['b']`, which keeps all of `a`. */
  | { readonly kind: 'member'; readonly name: string }
  /** `a[*]` */
  | { readonly kind: 'star' }
  /** A field on its own that is compared, or all there is, such as `undefined`. */
  | { readonly kind: 'word'; readonly name: string }
);

const arithmetic: readonly unknown[] = ['+', '-', '*', '/', '%'];

/** In the order of the expression. */
export function odditiesOf(source: string, ast: Node): readonly Oddity[] {
  const found: Oddity[] = [];
  const methods = new Set<Node>();
  const compared = new Set<Node>([ast]);
  const hasOwn = some(ast, holdsFunction);
  some(ast, (node) => {
    for (const one of comparedIn(node)) compared.add(one);
    if (node.type === 'path') for (const step of node.steps?.slice(1) ?? []) methods.add(step);
    if (!hasOwn) found.push(...call(node, methods.has(node)));
    found.push(...sum(node), ...filters(source, node), ...word(node, compared.has(node)));
    return false;
  });
  return found.sort((a, b) => a.start - b.start);
}

/** An object with a function in it: then a field can be called after all. */
const holdsFunction = (node: Node): boolean =>
  node.type === 'unary' &&
  pairs(node).some(([, value]) => value.type === 'lambda' || value.type === 'partial' || isFunctionName(value));

const isFunctionName = ({ type, value }: Node): boolean => type === 'variable' && functionNames.has(String(value));

function call({ type, procedure }: Node, method: boolean): readonly Oddity[] {
  const only = procedure?.type === 'path' && procedure.steps?.length === 1 ? procedure.steps[0] : undefined;
  if ((type !== 'function' && type !== 'partial') || only?.type !== 'name' || only.position === undefined) return [];
  const name = String(only.value);
  return [{ kind: 'call', name, method, start: only.position - name.length, end: only.position }];
}

function sum({ type, value, lhs, rhs, position = 0 }: Node): readonly Oddity[] {
  if (type !== 'binary' || !arithmetic.includes(value)) return [];
  const isText = [lhs, rhs].some((one) => (one as Node | undefined)?.type === 'string');
  return isText
    ? [{ kind: 'text-in-sum', operator: String(value), start: position - String(value).length, end: position }]
    : [];
}

function filters(source: string, node: Node): readonly Oddity[] {
  return [...(node.stages ?? []), ...(node.predicate ?? [])].flatMap(({ type, expr }): readonly Oddity[] => {
    const end = expr?.position;
    if (type !== 'filter' || end === undefined) return [];
    const start = source.lastIndexOf('[', end - 1);
    const close = source.indexOf(']', end) + 1;
    if (expr?.type === 'wildcard') return [{ kind: 'star', start, end: close }];
    return expr?.type === 'string' ? [{ kind: 'member', name: String(expr.value), start, end: close }] : [];
  });
}

/** What is compared, or decides: a field called `no` there is rarer than elsewhere. */
const comparedIn = (node: Node): readonly Node[] =>
  node.type === 'condition' || (node.type === 'binary' && ['=', '!=', 'and', 'or'].includes(String(node.value)))
    ? operands(node)
    : [];

function word({ type, steps }: Node, compared: boolean): readonly Oddity[] {
  const [first, ...more] = type === 'path' ? (steps ?? []) : [];
  if (first?.type !== 'name' || first.position === undefined || more.length > 0) return [];
  const name = String(first.value);
  if (!compared && !/[‘’“”]/.test(name)) return [];
  return [{ kind: 'word', name, start: first.position - name.length, end: first.position }];
}
