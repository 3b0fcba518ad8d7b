import { dirname, relative, resolve } from 'node:path';
import { childPointer, plainValue, pointerSegments } from '../../schema/node.ts';
import { parseYaml, type Span, type YamlDocument } from '../yaml.ts';

/** A value in a document, with its place. */
export interface Located {
  readonly document: Document;
  readonly pointer: string;
  readonly value: unknown;
}

export interface Document {
  readonly path: string;
  readonly root: unknown;
  /** `./api.yaml:12:5` */
  place(pointer: string, at?: 'key' | 'value'): string;
}

/** What is wrong, with file, line and column. */
export class DocumentProblem extends Error {}

/** Gives the text of a file by its absolute path; `undefined` where there is none to be had. */
export type ReadText = (path: string) => string | undefined;

/** OpenAPI documents of 10 MiB exist, and they are read at start. */
const limits = { length: 10 * 1024 * 1024, nodes: 1_000_000, depth: 200 };

/** A document with all those that it refers to, each read once. */
export class Documents {
  readonly #folder: string;
  readonly #readText: ReadText;
  readonly #known = new Map<string, Document>();

  /** Paths are shown as seen from `folder`. */
  constructor(folder: string, readText: ReadText) {
    this.#folder = folder;
    this.#readText = readText;
  }

  /** Throws a {@link DocumentProblem} when it is no YAML and no JSON. */
  open(path: string, text: string): Document {
    const known = this.#known.get(path);
    if (known) return known;
    const shown = this.#shown(path);
    const document = jsonDocument(path, text, shown) ?? yamlDocument(path, text, shown);
    this.#known.set(path, document);
    return document;
  }

  /** Reads every file that the document refers to, and those that these refer to: whoever watches has to know them all. */
  gather(document: Document): void {
    for (const ref of refsIn(document.root)) {
      const [file] = split(ref);
      if (file === '' || isAddress(file)) continue;
      const path = resolve(dirname(document.path), decoded(file));
      if (this.#known.has(path)) continue;
      const text = this.#readText(path);
      if (text === undefined) continue;
      try {
        this.gather(this.open(path, text));
      } catch (thrown) {
        // Whoever uses what refers to it is told.
        if (!(thrown instanceof DocumentProblem)) throw thrown;
      }
    }
  }

  /** Follows `$ref` until there is none. Throws a {@link DocumentProblem} where one leads nowhere. */
  followed(from: Located): Located {
    const passed = new Set<string>();
    let here = from;
    for (;;) {
      const ref = refOf(here.value);
      if (ref === undefined) return here;
      const key = `${here.document.path}#${here.pointer}`;
      if (passed.has(key)) throw problemAt(here, `\`$ref\` leads in a circle`);
      passed.add(key);
      here = this.target(here, ref);
    }
  }

  /** What a `$ref` that stands at `from` means. */
  target(from: Located, ref: string): Located {
    const at = childOf(from, '$ref');
    const [file = '', fragment = ''] = split(ref);
    if (isAddress(file)) {
      throw problemAt(at, `\`$ref\` is the address ${file}: only files are read; keep a copy beside the document`);
    }
    const document = file === '' ? from.document : this.#other(at, file);
    const pointer = decoded(fragment);
    if (pointer !== '' && !pointer.startsWith('/')) {
      throw problemAt(at, `\`$ref\` ${ref} is no JSON pointer: write \`#/components/…\``);
    }
    let value: unknown = document.root;
    for (const segment of pointerSegments(pointer)) {
      const inner = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
      if (!Object.hasOwn(inner, segment)) throw problemAt(at, `there is nothing at \`$ref\` ${ref}`);
      value = inner[segment];
    }
    return { document, pointer, value };
  }

  #other(at: Located, file: string): Document {
    const path = resolve(dirname(at.document.path), decoded(file));
    const known = this.#known.get(path);
    if (known) return known;
    const text = this.#readText(path);
    if (text === undefined) {
      throw problemAt(at, `\`$ref\` names the file ${this.#shown(path)}, which is not there or cannot be read`);
    }
    return this.open(path, text);
  }

  #shown(path: string): string {
    const near = relative(this.#folder, path);
    return near.startsWith('.') ? near : `./${near}`;
  }
}

/** JSON is read in a fraction of the time; places are looked for when there is something to say about one. */
function jsonDocument(path: string, text: string, shown: string): Document | undefined {
  if (!looksLikeJson(text)) return undefined;
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return undefined; // whoever reads it as YAML says where it is broken
  }
  let yaml: YamlDocument | undefined;
  return {
    path,
    root,
    place(pointer, at = 'value') {
      yaml ??= parsed(text);
      return `${shown}:${placeOf(yaml, spanOf(yaml, pointer, at))}`;
    },
  };
}

function yamlDocument(path: string, text: string, shown: string): Document {
  const yaml = parsed(text);
  const [first] = yaml.findings.filter((one) => one.severity === 'error');
  if (!yaml.root || first) {
    const place = placeOf(yaml, first?.span ?? { start: 0, end: 0 });
    throw new DocumentProblem(`${shown}:${place}: ${first?.message ?? 'the file is empty'}`);
  }
  return {
    path,
    root: plainValue(yaml.root),
    place: (pointer, at = 'value') => `${shown}:${placeOf(yaml, spanOf(yaml, pointer, at))}`,
  };
}

const looksLikeJson = (text: string): boolean => /^\s*\{/.test(text);

/** JSON may be indented by tabs, YAML may not. */
const parsed = (text: string): YamlDocument =>
  parseYaml(looksLikeJson(text) ? text.replaceAll('\t', ' ') : text, 0, limits);

export const problemAt = ({ document, pointer }: Located, message: string): DocumentProblem =>
  new DocumentProblem(`${document.place(pointer)}: ${message}`);

export function childOf({ document, pointer, value }: Located, key: string | number): Located {
  const inner = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  return { document, pointer: childPointer(pointer, key), value: Object.hasOwn(inner, key) ? inner[key] : undefined };
}

export const refOf = (value: unknown): string | undefined => {
  const ref: unknown =
    typeof value === 'object' && value !== null ? (value as { readonly $ref?: unknown }).$ref : undefined;
  return typeof ref === 'string' ? ref : undefined;
};

/** The entries of a map; none of anything else. */
export function entriesOf(at: Located): readonly (readonly [string, Located])[] {
  const { value } = at;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.keys(value).map((key) => [key, childOf(at, key)] as const);
}

/** The items of a list; none of anything else. */
export const itemsOf = (at: Located): readonly Located[] =>
  Array.isArray(at.value) ? at.value.map((_, index) => childOf(at, index)) : [];

const isAddress = (file: string): boolean => /^[a-z][a-z0-9+.-]+:/i.test(file);

function refsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = refOf(value);
  return [...(own === undefined ? [] : [own]), ...Object.values(value).flatMap(refsIn)];
}

function split(ref: string): readonly [string, string] {
  const hash = ref.indexOf('#');
  return hash < 0 ? [ref, ''] : [ref.slice(0, hash), ref.slice(hash + 1)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function placeOf(yaml: YamlDocument, span: Span): string {
  const { line, column } = yaml.position(span.start);
  return `${line}:${column}`;
}

function spanOf(yaml: YamlDocument, pointer: string, at: 'key' | 'value'): Span {
  for (let here = pointer; ; here = here.slice(0, here.lastIndexOf('/'))) {
    const span = yaml.span(here, here === pointer ? at : 'key');
    if (span) return span;
    if (here === '') return { start: 0, end: 0 };
  }
}
