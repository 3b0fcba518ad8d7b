/** The syntax of Mermaid flowcharts (mermaid.js.org), and nothing about integrations. */

export const directions = ['TB', 'LR', 'BT', 'RL'] as const;
export type Direction = (typeof directions)[number];

/** Opening and closing of a node's text: what is drawn around it. */
const shapes = {
  box: ['[', ']'],
  rounded: ['([', '])'],
  diamond: ['{', '}'],
  hexagon: ['{{', '}}'],
  cylinder: ['[(', ')]'],
  frame: ['[[', ']]'],
  slanted: ['[/', '/]'],
  fork: ['[/', '\\]'],
  join: ['[\\', '/]'],
  circle: ['((', '))'],
} as const;

export type Shape = keyof typeof shapes;

export interface Node {
  readonly id: string;
  readonly shape: Shape;
  readonly text: string;
}

/** A frame around nodes: a flow, a group. */
export interface Frame {
  readonly id: string;
  readonly text: string;
  readonly items: (Node | Frame)[];
}

const lines = {
  /** The way of the message. */
  solid: '-->',
  /** There and back: a call. */
  both: '<-->',
  /** Only when something failed, or beside the flow. */
  dotted: '-.->',
  /** Into another flow. */
  thick: '==>',
} as const;

export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly line: keyof typeof lines;
  readonly text?: string | undefined;
}

export interface Chart {
  readonly direction: Direction;
  readonly items: readonly (Node | Frame)[];
  readonly edges: readonly Edge[];
}

/** Letters, digits and signs that mean nothing to Mermaid, HTML or Markdown where they stand. */
const harmless = [
  /[\p{L}\p{M}\p{N} …,/()?']/u,
  // Two of them would begin a formula.
  /(?<!\$)\$(?!\$)/u,
  // At the beginning these would make a list, around a word an emphasis.
  /(?<!^\d+)\./u,
  /(?<!^)[-+=]/u,
  /(?<=[\p{L}\p{N}])_(?=[\p{L}\p{N}])/u,
];
const harmful = new RegExp(`(?!${harmless.map((one) => one.source).join('|')}).`, 'gsu');

/** Any text as a label: what is not harmless is written as an entity, so that no name ends a label or opens a directive. */
export function quoted(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const plain = text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
  // An empty label would show the node's id.
  const shown = plain === '' ? ' ' : plain;
  return `"${shown.replaceAll(harmful, (sign) => `#${sign.codePointAt(0)};`)}"`;
}

export function render(chart: Chart): string {
  const body = [
    ...chart.items.flatMap((item) => renderItem(item, '  ')),
    // Behind all nodes: an edge written inside a frame would draw its far end into it.
    ...chart.edges.map((edge) => `  ${renderEdge(edge)}`),
  ];
  return `flowchart ${chart.direction}\n${body.join('\n')}\n`;
}

function renderItem(item: Node | Frame, indent: string): readonly string[] {
  if (!('items' in item)) {
    const [open, close] = shapes[item.shape];
    return [`${indent}${item.id}${open}${quoted(item.text)}${close}`];
  }
  const inside = item.items.flatMap((one) => renderItem(one, `${indent}  `));
  return [`${indent}subgraph ${item.id}[${quoted(item.text)}]`, ...inside, `${indent}end`];
}

function renderEdge({ from, to, line, text }: Edge): string {
  return `${from} ${lines[line]}${text === undefined ? '' : `|${quoted(text)}|`} ${to}`;
}
