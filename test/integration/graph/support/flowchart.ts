import assert from 'node:assert/strict';

export interface Parsed {
  readonly text: string;
  readonly nodes: ReadonlyMap<string, { readonly text: string; readonly shape: string }>;
  readonly frames: readonly { readonly id: string; readonly text: string; readonly path: readonly string[] }[];
  readonly edges: readonly {
    readonly from: string;
    readonly to: string;
    readonly line: string;
    readonly text: string | undefined;
  }[];
}

// The part of the grammar that is written; whatever goes beyond it is an error.
const label = String.raw`"((?:[^"#]|#\d+;)+)"`;
const node = new RegExp(
  String.raw`^([a-z]+\d+)(\(\[|\[\(|\[\[|\[/|\[\\|\[|\(\(|\{\{|\{)${label}(\]\)|\)\]|\]\]|/\]|\\\]|\]|\)\)|\}\}|\})$`,
);
const frame = new RegExp(String.raw`^subgraph ([a-z]+\d+)\[${label}\]$`);
const edge = new RegExp(String.raw`^([a-z]+\d+) (-->|<-->|-\.->|==>)(?:\|${label}\|)? ([a-z]+\d+)$`);

const closing: Readonly<Record<string, readonly string[]>> = {
  '[': [']'],
  '([': ['])'],
  '[(': [')]'],
  '[[': [']]'],
  '[/': ['/]', '\\]'],
  '[\\': ['/]'],
  '((': ['))'],
  '{': ['}'],
  '{{': ['}}'],
};

const decoded = (text: string): string =>
  text.replaceAll(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code))).trim();

/** Reads a flowchart and fails on whatever is not well-formed: a check that needs no browser. */
export function parseFlowchart(text: string): Parsed {
  const [head, ...lines] = text.trimEnd().split('\n');
  assert.match(head ?? '', /^flowchart (TB|LR|BT|RL)$/);
  const nodes = new Map<string, { text: string; shape: string }>();
  const frames: { id: string; text: string; path: string[] }[] = [];
  const edges: Parsed['edges'][number][] = [];
  const open: string[] = [];
  for (const raw of lines) {
    const line = raw.trim();
    if (line === 'end') {
      assert.ok(open.pop() !== undefined, 'an `end` too many');
      continue;
    }
    const [, frameId, frameText] = frame.exec(line) ?? [];
    if (frameId !== undefined && frameText !== undefined) {
      open.push(decoded(frameText));
      frames.push({ id: frameId, text: decoded(frameText), path: [...open] });
      continue;
    }
    const [, from, arrow, edgeText, to] = edge.exec(line) ?? [];
    if (from !== undefined && arrow !== undefined && to !== undefined) {
      assert.deepEqual(open, [], `an edge inside a frame: ${line}`);
      edges.push({ from, to, line: arrow, text: edgeText === undefined ? undefined : decoded(edgeText) });
      continue;
    }
    const [, id, start, nodeText, stop] = node.exec(line) ?? [];
    assert.ok(
      id !== undefined && start !== undefined && nodeText !== undefined && stop !== undefined,
      `not well-formed: ${line}`,
    );
    assert.ok(closing[start]?.includes(stop), `the shape is not closed: ${line}`);
    assert.ok(!nodes.has(id), `declared twice: ${id}`);
    nodes.set(id, { text: decoded(nodeText), shape: `${start} ${stop}` });
  }
  assert.deepEqual(open, [], 'a frame is not closed');
  const known = new Set([...nodes.keys(), ...frames.map((one) => one.id)]);
  for (const { from, to } of edges) {
    assert.ok(known.has(from), `an edge from nowhere: ${from}`);
    assert.ok(known.has(to), `an edge to nowhere: ${to}`);
  }
  return { text, nodes, frames, edges };
}
