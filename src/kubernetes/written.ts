import { entryOf, type Node, pointerSegments } from '../schema/node.ts';

/** The text that stands in the file at a pointer; `undefined` where there is none. */
export function writtenAt(root: Node, pointer: string): string | undefined {
  const node = nodeAt(root, pointer);
  return node?.kind === 'scalar' && node.value !== null ? node.text : undefined;
}

function nodeAt(root: Node, pointer: string): Node | undefined {
  let node: Node | undefined = root;
  for (const segment of pointerSegments(pointer)) {
    node = node?.kind === 'list' ? node.items[Number(segment)] : entryOf(node, segment);
  }
  return node;
}

/** The names under `config` that stand there, at any depth. */
export function namesIn(root: Node, pointer: string): readonly string[] {
  const texts = (node: Node | undefined): readonly string[] => {
    if (!node) return [];
    if (node.kind === 'scalar') return [node.text];
    return node.kind === 'list' ? node.items.flatMap(texts) : node.entries.flatMap((entry) => texts(entry.value));
  };
  return texts(nodeAt(root, pointer)).flatMap((text) =>
    [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name),
  );
}

/** The name under `config` whose value stands there, and nothing else does. */
export const nameAt = (root: Node, pointer: string): string | undefined =>
  /^\$\{(\w+)\}$/.exec(writtenAt(root, pointer) ?? '')?.[1];

/** Whether all pods of the integration have the same there: of what `config` gives, only the name of the pod differs. */
export const isShared = (root: Node, pointer: string): boolean =>
  writtenAt(root, pointer) !== undefined && !namesIn(root, pointer).includes(podName);

/** Every pod has another one: it comes from the pod, and not from the machine that writes manifests. */
export const podName = 'HOSTNAME';

/** Whether a process can do without a value of `config`. */
export const mayBeAbsent = (root: Node, name: string): boolean => {
  const required = entryOf(entryOf(entryOf(root, 'config'), name), 'required');
  return required?.kind === 'scalar' && required.value === false;
};
