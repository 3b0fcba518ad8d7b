import { entryOf, type Node, pointerSegments } from '../schema/node.ts';

/** The text that stands in the file at a pointer; `undefined` where there is none. */
export function writtenAt(root: Node, pointer: string): string | undefined {
  let node: Node | undefined = root;
  for (const segment of pointerSegments(pointer)) {
    node = node?.kind === 'list' ? node.items[Number(segment)] : entryOf(node, segment);
  }
  return node?.kind === 'scalar' && node.value !== null ? node.text : undefined;
}

/** The name under `config` whose value stands there, and nothing else does. */
export const nameAt = (root: Node, pointer: string): string | undefined =>
  /^\$\{(\w+)\}$/.exec(writtenAt(root, pointer) ?? '')?.[1];

/** Whether nothing of it comes from `config`: every process has the same. */
export const isFixed = (root: Node, pointer: string): boolean => writtenAt(root, pointer)?.includes('${') === false;

/** Whether a process can do without a value of `config`. */
export const mayBeAbsent = (root: Node, name: string): boolean => {
  const required = entryOf(entryOf(entryOf(root, 'config'), name), 'required');
  return required?.kind === 'scalar' && required.value === false;
};
