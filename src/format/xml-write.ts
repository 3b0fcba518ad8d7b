/** A value → an XML document. The counterpart of xml-read.ts: what it writes reads back as the same value. */
import { failure } from '../errors.ts';
import { maxDepth } from './format.ts';
import { escapeAttribute, escapeText } from './xml-escape.ts';
import { declarationMistake, declaredPrefix, Scope, type XmlName, xmlName } from './xml-names.ts';
import type { XmlOptions } from './xml-options.ts';

type Element = Readonly<Record<string, unknown>>;

const refuse = (detail: string): never => {
  throw failure('malformed', { format: 'xml', action: 'written', detail });
};

/** What JSON would see: dates and the like know their own text, functions are nothing. */
function plain(value: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  return 'toJSON' in value && typeof value.toJSON === 'function' ? value.toJSON() : value;
}

const isElement = (value: unknown): value is Element =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isAttribute = (key: string): boolean => key.charCodeAt(0) === 0x40;

class XmlWriter {
  readonly #names = new Map<string, XmlName>();
  readonly #scope = new Scope();
  readonly #namespaces: ReadonlyMap<string, string>;
  /** Prefixes of `namespaces` that the root has to declare. */
  readonly #used = new Set<string>();
  readonly #indent: number;

  constructor(options: XmlOptions) {
    this.#namespaces = new Map(Object.entries(options.namespaces ?? {}));
    this.#indent = options.indent ?? 0;
  }

  /** One element, or one for each entry of a list; `lead` is the white space before each. */
  elements(key: string, given: unknown, depth: number, lead: string): string {
    const value = plain(given);
    if (value === undefined) return '';
    if (!Array.isArray(value)) return lead + this.#element(key, value, depth, lead);
    let all = '';
    for (const one of value) {
      const entry: unknown = plain(one);
      if (Array.isArray(entry)) refuse(`${JSON.stringify(key)} is a list inside a list: XML has no form for that`);
      if (entry !== undefined) all += lead + this.#element(key, entry, depth, lead);
    }
    return all;
  }

  #element(key: string, value: unknown, depth: number, lead: string): string {
    if (depth > maxDepth) refuse(`it is nested deeper than ${maxDepth} levels`);
    const name = this.#name(key, key);
    const mark = this.#scope.mark();
    let attributes = '';
    let content: string;
    if (isElement(value)) {
      attributes = this.#attributes(value);
      this.#namespaceOf(name, name.prefix);
      content = this.#content(key, value, depth, lead);
    } else {
      this.#namespaceOf(name, name.prefix);
      content = this.#text(key, value);
    }
    this.#scope.leave(mark);
    // Which prefixes are used is known only now that everything inside is written.
    if (depth === 1) attributes += this.#declarations();
    return content === '' ? `<${key}${attributes}/>` : `<${key}${attributes}>${content}</${key}>`;
  }

  #content(key: string, value: Element, depth: number, lead: string): string {
    const pieces = value['#mixed'];
    if (pieces !== undefined) return this.#mixed(key, value, pieces, depth);
    const text = value['#text'];
    const laidOut = this.#indent > 0 && lead !== '' && (text === undefined || text === null || text === '');
    const leadInside = laidOut ? lead + ' '.repeat(this.#indent) : '';
    let content = '';
    for (const child of Object.keys(value)) {
      if (isAttribute(child)) continue;
      if (child === '#text') content += this.#text(key, text);
      else content += this.elements(child, value[child], depth + 1, leadInside);
    }
    return laidOut && content !== '' ? content + lead : content;
  }

  #mixed(key: string, value: Element, pieces: unknown, depth: number): string {
    const others = Object.keys(value).filter((other) => !isAttribute(other) && other !== '#mixed');
    if (!Array.isArray(pieces) || others.length > 0) {
      return refuse(`"#mixed" of ${JSON.stringify(key)} must be a list, with nothing but attributes beside it`);
    }
    let content = '';
    for (const piece of pieces) {
      const part: unknown = plain(piece);
      if (!isElement(part)) {
        content += this.#text(key, part);
        continue;
      }
      const [name, ...more] = Object.keys(part);
      if (name === undefined || more.length > 0) {
        return refuse(`an entry of "#mixed" in ${JSON.stringify(key)} must be text or an object with one key`);
      }
      content += this.elements(name, part[name], depth + 1, '');
    }
    return content;
  }

  /** The attributes in their written form; what they declare is in scope afterwards. */
  #attributes(value: Element): string {
    const keys = Object.keys(value).filter(isAttribute);
    if (keys.length === 0) return '';
    for (const key of keys) if (key.startsWith('@xmlns')) this.#declare(key, value[key]);
    const seen = new Set<string>();
    let attributes = '';
    for (const key of keys) {
      const given = plain(value[key]);
      if (given === undefined) continue;
      const name = this.#name(key, key.slice(1));
      if (name.prefix !== '' && name.prefix !== 'xmlns') {
        const expanded = `${this.#namespaceOf(name, name.prefix)} ${name.local}`;
        if (seen.has(expanded)) refuse(`${JSON.stringify(key)} is the same attribute as another one`);
        seen.add(expanded);
      }
      attributes += ` ${name.raw}="${escapeAttribute(this.#scalar(key, given), (found) => refuse(`${JSON.stringify(key)} holds the character ${found}, which XML cannot hold`))}"`;
    }
    return attributes;
  }

  #declare(key: string, uri: unknown): void {
    const prefix = declaredPrefix(this.#name(key, key.slice(1)));
    if (prefix === undefined || uri === undefined) return;
    const text = typeof uri === 'string' ? uri : refuse(`${JSON.stringify(key)} must be text, the URI of a namespace`);
    const mistake = declarationMistake(prefix, text);
    if (mistake !== undefined) refuse(mistake);
    this.#scope.declare(prefix, text);
  }

  /** The declarations on the root of what was used of `namespaces`. */
  #declarations(): string {
    let declarations = '';
    for (const prefix of this.#used) {
      const uri = this.#namespaces.get(prefix) ?? '';
      const mistake = declarationMistake(prefix, uri);
      if (mistake !== undefined) refuse(mistake);
      const name = prefix === '' ? 'xmlns' : `xmlns:${prefix}`;
      declarations += ` ${name}="${escapeAttribute(uri, (found) => refuse(`the URI of ${name} holds ${found}`))}"`;
    }
    return declarations;
  }

  #namespaceOf(name: XmlName, prefix: string): string {
    const uri = this.#scope.uriOf(prefix);
    if (uri !== undefined) return uri;
    const declared = this.#namespaces.get(prefix);
    if (declared !== undefined) {
      this.#used.add(prefix);
      return declared;
    }
    if (prefix === '') return '';
    return refuse(
      `the prefix of ${JSON.stringify(name.raw)} is not declared: add it to \`namespaces\`, or as "@xmlns:${prefix}"`,
    );
  }

  /** The name behind a key, which is checked once for each document. */
  #name(key: string, raw: string): XmlName {
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const name = xmlName(raw);
    if (typeof name === 'string') return refuse(`the key ${JSON.stringify(key)} cannot be an XML name`);
    this.#names.set(key, name);
    return name;
  }

  #text(key: string, value: unknown): string {
    return escapeText(this.#scalar(key, value), (found) =>
      refuse(`the text of ${JSON.stringify(key)} holds the character ${found}, which XML cannot hold`),
    );
  }

  #scalar(key: string, value: unknown): string {
    if (typeof value === 'string') return value;
    if (value === null || value === undefined) return '';
    if (typeof value === 'object') return refuse(`${JSON.stringify(key)} must be text, a number, true or false`);
    return String(value);
  }
}

/** The root element and its value: the single key of an object, or the name under `root` around everything. */
function rootOf(value: unknown, root: string | undefined): readonly [string, unknown] {
  const keys = isElement(value) ? Object.keys(value).filter((key) => plain(value[key]) !== undefined) : [];
  const [key] = keys;
  const single = keys.length === 1 && key !== undefined && /^[^@#]/.test(key) && isElement(value);
  const inside = single ? plain(value[key]) : undefined;
  if (single && !Array.isArray(inside)) return [key, inside];
  if (single && root === undefined && Array.isArray(inside) && inside.length === 1) return [key, inside[0]];
  if (root !== undefined && !Array.isArray(value)) return [root, value ?? ''];
  const kind = Array.isArray(value)
    ? 'a list'
    : value === undefined || value === null
      ? 'nothing'
      : `a ${typeof value}`;
  const what = isElement(value) ? `the value has ${keys.length} keys` : `the value is ${kind}`;
  const found = single ? `the list under ${JSON.stringify(key)} would make several` : what;
  const help = 'wrap it, or name the element as `root` (`xml: { root: … }`)';
  return refuse(`an XML document is made from an object with one key, its root element, but ${found}: ${help}`);
}

/**
 * The XML document for a value, in time linear in its size. Throws `malformed`, naming the key, for what has no XML form:
 * names and characters that XML does not know, prefixes nobody declared, lists of lists, more than 200 levels.
 */
export function writeXml(value: unknown, options: XmlOptions = {}): string {
  const [key, inside] = rootOf(plain(value), options.root);
  const writer = new XmlWriter(options);
  const head = options.declaration === false ? '' : '<?xml version="1.0" encoding="UTF-8"?>';
  // Line breaks stand only where `indent` asks for them: elsewhere they would be text.
  const lead = (options.indent ?? 0) > 0 ? '\n' : '';
  const document = head + writer.elements(key, inside, 1, lead);
  return head === '' ? document.trimStart() : document;
}
