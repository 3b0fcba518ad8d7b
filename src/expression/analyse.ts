import type { Node } from './ast.ts';
import { children, left, operands, refinements } from './ast.ts';
import { functionNames } from './builtins.ts';
import { regexWarning } from './regex.ts';
import { ExpressionSyntaxError } from './syntax.ts';

export interface Warning {
  readonly offset: number;
  readonly message: string;
}

export interface Analysis {
  readonly looksAtBody: boolean;
  readonly variables: ReadonlyMap<string, number>;
  readonly warnings: readonly Warning[];
}

/** Parameters of the functions that take the context for a missing first argument: how many with and without it. */
const withContext: Readonly<Record<string, readonly [required: number, total: number]>> = {
  string: [1, 2],
  substring: [2, 3],
  substringBefore: [2, 2],
  substringAfter: [2, 2],
  lowercase: [1, 1],
  uppercase: [1, 1],
  length: [1, 1],
  trim: [1, 1],
  pad: [2, 3],
  match: [2, 3],
  contains: [2, 2],
  replace: [3, 4],
  split: [2, 3],
  formatNumber: [2, 3],
  formatBase: [1, 2],
  formatInteger: [2, 2],
  parseInteger: [2, 2],
  number: [1, 1],
  floor: [1, 1],
  ceil: [1, 1],
  round: [1, 2],
  abs: [1, 1],
  sqrt: [1, 1],
  power: [2, 2],
  boolean: [1, 1],
  not: [1, 1],
  sift: [2, 2],
  keys: [1, 1],
  lookup: [2, 2],
  spread: [1, 1],
  each: [2, 2],
  base64encode: [1, 1],
  base64decode: [1, 1],
  encodeUrlComponent: [1, 1],
  encodeUrl: [1, 1],
  decodeUrlComponent: [1, 1],
  decodeUrl: [1, 1],
  toMillis: [1, 2],
  fromMillis: [1, 3],
  clone: [1, 1],
};

const literals = new Set(['string', 'number', 'value', 'regex', 'lambda']);

function takesContext(call: Node, applied: readonly Node[] = []): boolean {
  const given = [...applied, ...(call.arguments ?? [])];
  const name = call.procedure?.type === 'variable' ? String(call.procedure.value) : '';
  const counts = Object.hasOwn(withContext, name) ? withContext[name] : undefined;
  if (!counts) return false;
  if (given.length < counts[0]) return true;
  const [first] = given;
  return given.length < counts[1] && first !== undefined && literals.has(first.type);
}

/** The names bound in the frame of these nodes, however late: functions see them when they are called. */
function boundIn(nodes: readonly Node[]): readonly string[] {
  return nodes.flatMap((node) => {
    if (node.type === 'block' || (node.type === 'lambda' && !node.thunk)) return [];
    const name = node.type === 'bind' ? left(node)?.value : undefined;
    const below = boundIn(children(node));
    return typeof name === 'string' ? [name, ...below] : below;
  });
}

/** The variables that `@$x` and `#$i` bind for the rest of a path. */
function withStepNames(path: Node, outer: ReadonlySet<string>): Set<string> {
  const names = new Set(outer);
  for (const step of path.steps ?? []) {
    if (step.focus) names.add(step.focus);
    if (step.index) names.add(step.index);
    for (const stage of step.stages ?? []) if (stage.type === 'index') names.add(String(stage.value));
  }
  return names;
}

class Walk {
  readonly variables = new Map<string, number>();
  readonly warnings: Warning[] = [];
  readonly #source: string;
  looksAtBody = false;

  constructor(source: string) {
    this.#source = source;
  }

  /** `names` are bound here, `later` will be when a function runs; `body` says that the context is the body. */
  visit(node: Node, names: Set<string>, later: ReadonlySet<string>, body: boolean): void {
    const inside = node.type === 'path' ? withStepNames(node, names) : names;
    this.#own(node, inside, later, body);
    for (const part of refinements(node)) this.visit(part, inside, later, false);
  }

  #own(node: Node, names: Set<string>, later: ReadonlySet<string>, body: boolean, applied: readonly Node[] = []): void {
    const { type, rhs } = node;
    const before = left(node);
    if (type === 'name' || type === 'wildcard' || type === 'descendant') this.looksAtBody ||= body;
    else if (type === 'path') this.#path(node, names, later, body);
    else if (type === 'variable') this.#variable(node, names, body);
    else if (type === 'regex') this.#regex(node);
    else if (type === 'block') this.#block(node, names, later, body);
    else if (type === 'bind') this.#bind(node, names, later, body);
    else if (type === 'lambda') this.#lambda(node, names, later, body);
    else if (type === 'apply' && rhs?.type === 'function' && before) {
      this.visit(before, names, later, body);
      this.#own(rhs, names, later, body, [before]); // x ~> $f(y) is $f(x, y)
    } else {
      if (type === 'function') this.looksAtBody ||= body && takesContext(node, applied);
      // The pattern and the changes of `|…|…|` see what it is applied to; all others what their parent sees.
      for (const part of operands(node)) this.visit(part, names, later, body && type !== 'transform');
    }
  }

  #path(node: Node, names: Set<string>, later: ReadonlySet<string>, body: boolean): void {
    for (const [index, step] of (node.steps ?? []).entries()) {
      this.visit(step, names, later, body && index === 0);
    }
  }

  #variable(node: Node, names: ReadonlySet<string>, body: boolean): void {
    const name = String(node.value);
    if (name === '' || name === '$') {
      this.looksAtBody ||= body || name === '$';
      return;
    }
    if (names.has(name)) return;
    const offset = typeof node.position === 'number' ? node.position - name.length - 1 : 0;
    if (name === 'eval') {
      throw new ExpressionSyntaxError('$eval does not exist here: expressions are fixed when they are written', offset);
    }
    if (functionNames.has(name) || this.variables.has(name)) return;
    this.variables.set(name, offset);
  }

  #regex(node: Node): void {
    const end = node.position ?? 0;
    if (!(node.value instanceof RegExp)) {
      throw new ExpressionSyntaxError('A regular expression cannot stand on the left side of ?: or ??', 0);
    }
    const warning = regexWarning(node.value);
    const offset = Math.max(0, this.#source.lastIndexOf(`/${node.value.source}/`, end));
    if (warning) this.warnings.push({ offset, message: warning });
  }

  #block(node: Node, outer: ReadonlySet<string>, later: ReadonlySet<string>, body: boolean): void {
    const expressions = node.expressions ?? [];
    const names = new Set(outer);
    const soon = new Set([...later, ...boundIn(expressions)]);
    for (const expression of expressions) this.visit(expression, names, soon, body);
  }

  #bind(node: Node, names: Set<string>, later: ReadonlySet<string>, body: boolean): void {
    const name = String(left(node)?.value);
    const offset = (left(node)?.position ?? 0) - name.length - 1;
    if (name === 'clone') throw new ExpressionSyntaxError('$clone cannot be bound: |…| relies on it', offset);
    if (node.rhs) this.visit(node.rhs, names, later, body);
    names.add(name);
  }

  #lambda(node: Node, names: ReadonlySet<string>, later: ReadonlySet<string>, body: boolean): void {
    const inside = node.thunk ? new Set(names) : new Set([...names, ...later]);
    for (const parameter of node.arguments ?? []) inside.add(String(parameter.value));
    if (inside.has('clone'))
      throw new ExpressionSyntaxError('$clone cannot be bound: |…| relies on it', node.position ?? 0);
    const below = new Set([...later, ...(node.body ? boundIn([node.body]) : [])]);
    if (node.body) this.visit(node.body, inside, below, body);
  }
}

const isSegments = (node: Node | undefined): boolean => node?.type === 'variable' && node.value === 'segments';

/** `$segments` marks a whole hole: anywhere but outermost the mark would be lost. */
function assertSegmentsOutermost(node: Node, outermost: boolean, called = false): void {
  if (isSegments(node) && !called) {
    const offset = (node.position ?? 0) - '$segments'.length;
    throw new ExpressionSyntaxError('$segments(…) must be the outermost call of its hole', offset);
  }
  const last = node.type === 'block' ? node.expressions?.at(-1) : undefined;
  for (const child of children(node)) {
    const kept = child === last || (node.type === 'condition' && (child === node.then || child === node.else));
    assertSegmentsOutermost(child, outermost && kept, outermost && child === node.procedure);
  }
}

/** What an expression needs, found without running it. */
export function analyse(source: string, ast: Node): Analysis {
  assertSegmentsOutermost(ast, true);
  const walk = new Walk(source);
  walk.visit(ast, new Set(), new Set(boundIn([ast])), true);
  return { looksAtBody: walk.looksAtBody, variables: walk.variables, warnings: walk.warnings };
}
