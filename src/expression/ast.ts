/** The syntax tree as the parser leaves it: location paths are lists of steps, predicates are `stages` or `predicate`. */
export interface Node {
  readonly type: string;
  readonly value?: unknown;
  /** The offset after the token, not before it. */
  readonly position?: number;
  readonly steps?: readonly Node[];
  readonly expressions?: readonly Node[];
  readonly expression?: Node;
  readonly lhs?: Node | readonly Pair[];
  readonly rhs?: Node;
  readonly arguments?: readonly Node[];
  readonly procedure?: Node;
  readonly condition?: Node;
  readonly then?: Node;
  readonly else?: Node;
  readonly body?: Node;
  readonly thunk?: boolean;
  readonly pattern?: Node;
  readonly update?: Node;
  readonly delete?: Node;
  readonly terms?: readonly { readonly descending: boolean; readonly expression: Node }[];
  readonly stages?: readonly Stage[];
  readonly predicate?: readonly Stage[];
  readonly group?: { readonly lhs: readonly Pair[] };
  readonly keepArray?: boolean;
  readonly keepSingletonArray?: boolean;
  readonly tuple?: boolean;
  readonly focus?: string;
  readonly index?: string;
  readonly ancestor?: unknown;
}

export type Pair = readonly [Node, Node];

export interface Stage {
  readonly type: string;
  readonly expr?: Node;
  readonly value?: unknown;
}

const isPairs = (value: Node | readonly Pair[]): value is readonly Pair[] => Array.isArray(value);

/** The left side of an operator. */
export const left = (node: Node): Node | undefined => (node.lhs && !isPairs(node.lhs) ? node.lhs : undefined);

/** The key-value pairs of an object constructor. */
export const pairs = (node: Node): readonly Pair[] => (node.lhs && isPairs(node.lhs) ? node.lhs : []);

/** The parts of a node that see what the node itself sees. */
export function operands(node: Node): readonly Node[] {
  const found = [
    ...(node.steps ?? []),
    ...(node.expressions ?? []),
    node.expression,
    left(node),
    ...pairs(node).flat(),
    node.rhs,
    node.procedure,
    ...(node.arguments ?? []),
    node.condition,
    node.then,
    node.else,
    node.body,
    node.pattern,
    node.update,
    node.delete,
    ...(node.terms ?? []).map((term) => term.expression),
  ];
  return found.filter((child) => child !== undefined);
}

/** The predicates and the grouping of a node, which see its values. */
export function refinements(node: Node): readonly Node[] {
  const stages = [...(node.stages ?? []), ...(node.predicate ?? [])].map((stage) => stage.expr);
  return [...stages, ...(node.group?.lhs ?? []).flat()].filter((child) => child !== undefined);
}

/** Every direct child of a node. */
export const children = (node: Node): readonly Node[] => [...operands(node), ...refinements(node)];

/** Whether the node or anything under it satisfies `wanted`. */
export function some(node: Node, wanted: (node: Node) => boolean): boolean {
  return wanted(node) || children(node).some((child) => some(child, wanted));
}
