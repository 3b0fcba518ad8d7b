/** What stands in the file, with its place: what the YAML parser hands to the reader. */
export type Node = ScalarNode | ListNode | MapNode;

export interface ScalarNode {
  readonly kind: 'scalar';
  /** JSON pointer (RFC 6901). */
  readonly pointer: string;
  readonly value: string | number | boolean | null;
  /** The characters of the value: `007` where the value is 7. */
  readonly text: string;
}

export interface ListNode {
  readonly kind: 'list';
  readonly pointer: string;
  readonly items: readonly Node[];
}

export interface MapNode {
  readonly kind: 'map';
  readonly pointer: string;
  /** In the order of the file, without duplicates. */
  readonly entries: readonly MapEntry[];
}

export interface MapEntry {
  readonly key: string;
  readonly value: Node;
}

/** The pointer of a child (RFC 6901 §3: `~` is `~0`, `/` is `~1`). */
export const childPointer = (pointer: string, key: string | number): string =>
  `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** The unescaped segments of a pointer. */
export const pointerSegments = (pointer: string): readonly string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));

export const entryOf = (node: Node | undefined, key: string): Node | undefined =>
  node?.kind === 'map' ? node.entries.find((entry) => entry.key === key)?.value : undefined;

export const isNothing = (node: Node): boolean => node.kind === 'scalar' && node.value === null;

/** The plain value of a node: what a parser without positions would have given. */
export function plainValue(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plainValue);
  // fromEntries defines own properties, so that a key `__proto__` stays a key.
  return Object.fromEntries(node.entries.map((entry) => [entry.key, plainValue(entry.value)]));
}

const shorten = (text: string): string => (text.length > 40 ? `${text.slice(0, 37)}…` : text);

/** Names what was found, for "found …". */
export function describe(node: Node): string {
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : 'a list';
  if (node.kind === 'map') return node.entries.length === 0 ? 'an empty map' : 'a map';
  if (node.value === null) return 'nothing';
  if (typeof node.value === 'string')
    return node.value === '' ? 'empty text' : `the text ${JSON.stringify(shorten(node.value))}`;
  return `${typeof node.value === 'number' ? 'the number' : 'the boolean'} ${shorten(node.text)}`;
}
