import type { Edge, Frame, Node, Shape } from './mermaid.ts';

/** Where the message comes out of what was drawn so far, waiting for what comes next. */
export interface End {
  readonly from: string;
  readonly text?: string | undefined;
  readonly line?: Edge['line'];
}

/** A frame being filled. */
export type Paper = (Node | Frame)[];

/** Makes nodes and edges; ids are plain counters, for any name of the file may be a word of Mermaid. */
export class Pen {
  readonly edges: Edge[] = [];
  readonly #counts = new Map<string, number>();

  id(prefix: string): string {
    const count = (this.#counts.get(prefix) ?? 0) + 1;
    this.#counts.set(prefix, count);
    return `${prefix}${count}`;
  }

  node(paper: Paper, shape: Shape, text: string, prefix = 'n'): string {
    const id = this.id(prefix);
    paper.push({ id, shape, text });
    return id;
  }

  frame(paper: Paper, text: string, prefix = 'g'): Frame {
    const frame: Frame = { id: this.id(prefix), text, items: [] };
    paper.push(frame);
    return frame;
  }

  edge(edge: Edge): void {
    this.edges.push(edge);
  }

  join(ends: readonly End[], to: string): void {
    for (const { from, text, line = 'solid' } of ends) this.edge({ from, to, line, text });
  }
}
