/**
 * Reads YAML 1.2 (core schema: `on` and `yes` are text) into nodes with places. It and write-yaml.ts alone import js-yaml.
 *
 * The tree is built from the parser's events, not from its values, because every key and value needs its position and
 * because all duplicate keys are to be reported, not the first alone.
 */
import {
  boolCoreTag,
  EVENT_ID,
  type Event,
  floatCoreTag,
  getScalarValue,
  intCoreTag,
  NOT_RESOLVED,
  nullCoreTag,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  YAMLException,
} from 'js-yaml';
import type { Finding } from '../core/written.ts';
import { childPointer, type MapEntry, type Node, type ScalarNode } from '../schema/node.ts';
import { type Position, positions } from './position.ts';
import { strangeBlank } from './strange-blank.ts';
import { explain, withoutTabBehindKey } from './yaml-message.ts';
import { type WrittenScalar, writtenOffset } from './yaml-scalar.ts';

/** Offsets into the file, the end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A finding that has its place already. */
export interface PlacedFinding extends Finding {
  readonly span: Span;
}

export interface YamlDocument {
  /** `undefined` where the file is no YAML, or is empty. */
  readonly root: Node | undefined;
  readonly findings: readonly PlacedFinding[];
  position(offset: number): Position;
  /** Where the line of `offset` ends. */
  endOfLine(offset: number): number;
  /** Of the key or the value at a pointer; `offset` counts characters of a scalar's value. */
  span(pointer: string, at: 'key' | 'value', offset?: number): Span | undefined;
}

/** How much of a file is read. */
export interface YamlLimits {
  /** Characters. */
  readonly length: number;
  readonly depth: number;
  /** Aliases of aliases grow exponentially. */
  readonly nodes: number;
}

/** Of an integration: none has this many values. */
const usualLimits: YamlLimits = { length: 1024 * 1024, depth: 50, nodes: 100_000 };
const maxAliases = 100;
/** Each is another parse of the whole file. */
const maxRepairs = 100;

export function parseYaml(source: string, repairs = 0, limits = usualLimits): YamlDocument {
  const position = positions(source);
  const endOfLine = (offset: number): number =>
    offset + (/^[^\r\n]*/.exec(source.slice(offset))?.[0].trimEnd().length ?? 0);
  const failed = (code: string, message: string, span: Span, suggestion?: string): YamlDocument => ({
    root: undefined,
    findings: [{ severity: 'error', code, message, pointer: '', span, suggestion }],
    position,
    endOfLine,
    span: () => undefined,
  });
  if (source.length > limits.length) {
    const most = `${limits.length / 1024 ** 2} MiB`;
    return failed('too-large', `The file is larger than ${most}, the limit for an integration`, { start: 0, end: 0 });
  }
  try {
    const builder = new Builder(source, position, limits.nodes);
    const root = builder.build(parseEvents(source, { maxDepth: limits.depth }));
    if (!root) return failed('empty-file', 'The file is empty. It begins with `dowel: 1`', { start: 0, end: 0 });
    return { root, findings: builder.findings, position, endOfLine, span: builder.span };
  } catch (thrown) {
    if (thrown instanceof Unreadable) return failed(thrown.code, thrown.message, thrown.span);
    if (!(thrown instanceof YAMLException)) throw thrown;
    const without = withoutTabBehindKey(thrown.reason, thrown.mark?.position ?? 0, source);
    if (without !== undefined && repairs < maxRepairs) return parseYaml(without, repairs + 1, limits);
    if (without !== undefined) {
      const at = thrown.mark?.position ?? 0;
      const message = `More than ${maxRepairs} tabs stand behind colons: write spaces instead`;
      return failed('yaml-tab', message, { start: at, end: at });
    }
    const problem = explain(thrown.reason, thrown.mark?.position ?? 0, source);
    return failed(problem.code, problem.message, { start: problem.offset, end: problem.end }, problem.suggestion);
  }
}

class Unreadable extends Error {
  readonly code: string;
  readonly span: Span;

  constructor(code: string, message: string, span: Span) {
    super(message);
    this.code = code;
    this.span = span;
  }
}

interface Place {
  key?: Span | undefined;
  readonly value: Span;
  readonly scalar?: WrittenScalar | undefined;
}

/** Where the events of a node begin, for aliases: the node is built again under its new pointer. */
interface Anchor {
  readonly first: number;
  readonly finished: boolean;
}

const styles = {
  [SCALAR_STYLE.PLAIN]: 'plain',
  [SCALAR_STYLE.SINGLE_QUOTED]: 'single',
  [SCALAR_STYLE.DOUBLE_QUOTED]: 'double',
  [SCALAR_STYLE.LITERAL_BLOCK]: 'literal',
  [SCALAR_STYLE.FOLDED_BLOCK]: 'folded',
} as const;

const plainTags = [nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag];

/** Turns the flat list of events into the tree. One use: one file. */
class Builder {
  readonly findings: PlacedFinding[] = [];
  readonly #source: string;
  readonly #position: (offset: number) => Position;
  readonly #maxNodes: number;
  readonly #places = new Map<string, Place>();
  readonly #anchors = new Map<string, Anchor>();
  #events: readonly Event[] = [];
  #next = 0;
  #nodes = 0;
  #aliases = 0;
  #last = 0;

  constructor(source: string, position: (offset: number) => Position, maxNodes: number) {
    this.#source = source;
    this.#position = position;
    this.#maxNodes = maxNodes;
  }

  build(events: readonly Event[]): Node | undefined {
    this.#events = events;
    const [first] = events;
    if (first?.type !== EVENT_ID.DOCUMENT) return undefined;
    this.#next = 1;
    const root = this.#node('');
    if (root.kind === 'scalar' && root.value === null) return undefined;
    const [, second] = events.flatMap((event, index) => (event.type === EVENT_ID.DOCUMENT ? [index] : []));
    if (second !== undefined) this.#reportSecondDocument();
    return root;
  }

  readonly span = (pointer: string, at: 'key' | 'value', offset?: number): Span | undefined => {
    const place = this.#places.get(pointer);
    if (!place) return undefined;
    if (offset !== undefined && place.scalar) {
      const start = writtenOffset(this.#source, place.scalar, offset);
      const isText = start < place.scalar.end && !/[\r\n]/.test(this.#source[start] ?? '');
      return { start, end: isText ? start + 1 : start };
    }
    // A key without a value has no place for the value.
    const empty = place.value.start === place.value.end && place.scalar === undefined;
    return at === 'key' || empty ? (place.key ?? place.value) : place.value;
  };

  #take(): Event {
    const event = this.#events[this.#next++];
    if (!event) throw new Unreadable('yaml-syntax', 'The file ends too early', { start: this.#last, end: this.#last });
    return event;
  }

  #node(pointer: string): Node {
    if (++this.#nodes > this.#maxNodes) {
      throw new Unreadable('yaml-limit', `The file has more than ${this.#maxNodes} values`, { start: 0, end: 0 });
    }
    const first = this.#next;
    const event = this.#take();
    if (event.type === EVENT_ID.ALIAS)
      return this.#alias(pointer, { start: event.anchorStart - 1, end: event.anchorEnd });
    if (event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.POP) {
      throw new Unreadable('yaml-syntax', 'The file ends too early', { start: this.#last, end: this.#last });
    }
    const name = event.anchorStart < 0 ? undefined : this.#source.slice(event.anchorStart, event.anchorEnd);
    if (name !== undefined) this.#anchors.set(name, { first, finished: false });
    const node =
      event.type === EVENT_ID.SCALAR
        ? this.#scalar(event, pointer)
        : event.type === EVENT_ID.SEQUENCE
          ? this.#list(pointer, event.start)
          : this.#map(pointer, event.start);
    if (name !== undefined) this.#anchors.set(name, { first, finished: true });
    if (event.tagStart >= 0) this.#reportTag(pointer, { start: event.tagStart, end: event.tagEnd });
    return node;
  }

  #scalar(event: ScalarEvent, pointer: string): ScalarNode {
    const text = getScalarValue(this.#source, event);
    if (event.valueStart < 0) {
      this.#places.set(pointer, { value: { start: this.#last, end: this.#last } });
      return { kind: 'scalar', pointer, value: null, text };
    }
    const style = styles[event.style];
    const quotes = style === 'single' || style === 'double' ? 1 : 0;
    const trimmed = this.#source.slice(event.valueStart, event.valueEnd).trimEnd().length;
    const value =
      style === 'literal' || style === 'folded'
        ? this.#blockSpan(event.valueStart, event.valueStart + trimmed)
        : { start: event.valueStart - quotes, end: event.valueEnd + quotes };
    const scalar = { style, start: event.valueStart, end: event.valueEnd, indent: event.indent };
    this.#places.set(pointer, { value, scalar });
    this.#last = value.end;
    return { kind: 'scalar', pointer, value: style === 'plain' ? plainScalar(text) : text, text };
  }

  /** From the `|` or `>` on. */
  #blockSpan(start: number, end: number): Span {
    const header = Math.max(this.#source.lastIndexOf('|', start - 1), this.#source.lastIndexOf('>', start - 1));
    return { start: header < 0 ? start : header, end: Math.max(start, end) };
  }

  #list(pointer: string, start: number): Node {
    const items: Node[] = [];
    while (this.#events[this.#next]?.type !== EVENT_ID.POP) items.push(this.#node(childPointer(pointer, items.length)));
    this.#close(pointer, start, ']');
    return { kind: 'list', pointer, items };
  }

  #map(pointer: string, start: number): Node {
    const entries: MapEntry[] = [];
    const keys = new Map<string, number>();
    while (this.#events[this.#next]?.type !== EVENT_ID.POP) {
      const key = this.#key(pointer);
      const first = keys.get(key.text);
      const inner =
        first === undefined ? childPointer(pointer, key.text) : `${childPointer(pointer, key.text)}#${key.span.start}`;
      const value = this.#node(inner);
      const place = this.#places.get(inner);
      if (place) place.key = key.span;
      if (first === undefined) entries.push({ key: key.text, value });
      else this.#reportDuplicate(key, first, childPointer(pointer, key.text));
      keys.set(key.text, first ?? key.span.start);
    }
    this.#close(pointer, start, '}');
    return { kind: 'map', pointer, entries };
  }

  #key(pointer: string): { readonly text: string; readonly span: Span } {
    const at = `${pointer}#key`;
    const node = this.#node(at);
    const span = this.#places.get(at)?.value ?? { start: this.#last, end: this.#last };
    this.#places.delete(at);
    const blank = node.kind === 'scalar' && this.#source[span.start] === node.text[0] && strangeBlank(node.text);
    if (blank && blank.at === 0) {
      const message = `${blank.what} stands here, which only looks like a space`;
      throw new Unreadable('yaml-syntax', message, { start: span.start, end: span.start + 1 });
    }
    if (node.kind === 'scalar') return { text: node.text, span };
    const [hole] = /^\{\{[^{}\r\n]*\}\}/.exec(this.#source.slice(Math.max(0, span.start - 1))) ?? [];
    if (hole === undefined) throw new Unreadable('yaml-syntax', 'A key must be text', span);
    const message = `A hole is written with a \`$\`, and in quotes: "$${hole}"`;
    throw new Unreadable('yaml-syntax', message, { start: span.start - 1, end: span.start - 1 + hole.length });
  }

  #close(pointer: string, start: number, bracket: string): void {
    this.#take();
    const flow = this.#source[start] === '{' || this.#source[start] === '[';
    const closed = flow ? this.#source.indexOf(bracket, Math.max(start, this.#last)) : -1;
    const end = closed < 0 ? Math.max(start, this.#last) : closed + 1;
    this.#places.set(pointer, { value: { start, end } });
    this.#last = end;
  }

  #alias(pointer: string, span: Span): Node {
    const name = this.#source.slice(span.start + 1, span.end);
    const anchor = this.#anchors.get(name);
    if (!anchor)
      throw new Unreadable('yaml-alias', `\`*${name}\` stands for nothing: there is no \`&${name}\` before it`, span);
    if (!anchor.finished) throw new Unreadable('yaml-alias', `\`*${name}\` stands inside of what it stands for`, span);
    if (++this.#aliases > maxAliases) {
      throw new Unreadable('yaml-limit', `The file has more than ${maxAliases} aliases`, span);
    }
    const resume = this.#next;
    this.#next = anchor.first;
    const node = this.#node(pointer);
    this.#next = resume;
    this.#last = span.end;
    return node;
  }

  #reportDuplicate(key: { readonly text: string; readonly span: Span }, first: number, pointer: string): void {
    this.findings.push({
      severity: 'error',
      code: 'duplicate-key',
      message: `\`${key.text}\` stands here twice, first in line ${this.#position(first).line}`,
      pointer,
      span: key.span,
    });
  }

  #reportTag(pointer: string, span: Span): void {
    const tag = this.#source.slice(span.start, span.end);
    const message = `Tags such as \`${tag}\` have no meaning here. Text that begins with \`!\` needs quotes`;
    this.findings.push({ severity: 'error', code: 'yaml-tag', message, pointer, span });
  }

  #reportSecondDocument(): void {
    const marker = /^---/m.exec(this.#source.slice(this.#last));
    const start = this.#last + (marker?.index ?? 0);
    const message = 'A second document begins here; one file is one integration';
    this.findings.push({
      severity: 'error',
      code: 'second-document',
      message,
      pointer: '',
      span: { start, end: start + 3 },
    });
  }
}

function plainScalar(text: string): string | number | boolean | null {
  for (const tag of plainTags) {
    const value = tag.resolve(text, false, tag.tagName);
    if (value !== NOT_RESOLVED) return value;
  }
  return text;
}
