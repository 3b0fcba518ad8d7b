/** An XML document → a value. Well-formedness is saxes' work, namespaces and the value are done here. */
import { SaxesParser } from 'saxes';
import { failure } from '../errors.ts';
import { decode } from './charset.ts';
import { maxDepth } from './format.ts';
import { charsetOfXml } from './xml-charset.ts';
import { declarationMistake, declaredPrefix, isBlank, Scope, type XmlName, xmlName } from './xml-names.ts';
import { type ArrayPaths, planOf, type ReadPlan, type XmlOptions } from './xml-options.ts';

type Element = Record<string, unknown>;

/** An open element. The frames are used again and again: one for each level, not one for each element. */
interface Frame {
  key: string;
  /** Made with the first attribute or child; until then the element is its text. */
  value: Element | undefined;
  hasChildren: boolean;
  /** The text between children, without the white space that only lays the document out. */
  text: string;
  /** Text and children in order, under `mixed`. */
  pieces: unknown[];
  paths: ArrayPaths | undefined;
  mark: number;
}

/** A name of this document, with the key that its namespace gave it last. */
interface Known extends XmlName {
  readonly attributeKey: string;
  uri: string | undefined;
  key: string;
}

interface Attribute {
  readonly name: string;
  readonly value: string;
}

const newFrame = (paths?: ArrayPaths): Frame => ({
  key: '',
  value: undefined,
  hasChildren: false,
  text: '',
  pieces: [],
  paths,
  mark: 0,
});

/** Only what would be written back the same way is a number: `007`, `1.10` and 20 digits are not. */
function coerced(text: string): unknown {
  if (text === 'true') return true;
  if (text === 'false') return false;
  const first = text.charCodeAt(0);
  if (first !== 0x2d && !(first >= 0x30 && first <= 0x39)) return text;
  const number = Number(text);
  return Number.isFinite(number) && String(number) === text ? number : text;
}

/** Adds a child. Objects of ours hold no functions, so one that is found there is inherited: `constructor` is a fine name. */
function attach(parent: Element, key: string, child: unknown, isList: boolean): void {
  const before = parent[key];
  if (before === undefined || typeof before === 'function') parent[key] = isList ? [child] : child;
  else if (Array.isArray(before)) before.push(child);
  else parent[key] = [before, child];
}

/** An element in which text and children stand side by side: its attributes, and everything else in order. */
function mixedElement(value: Element, pieces: readonly unknown[]): Element {
  const attributes = Object.entries(value).filter(([key]) => key.startsWith('@'));
  return { ...Object.fromEntries(attributes), '#mixed': pieces };
}

export type { XmlOptions } from './xml-options.ts';

/** A document that goes on and on may have ever new names. */
const mostNames = 10_000;

/** Elements that are taken out of a document one by one, wherever they stand: what is around them is not kept. */
export interface ElementSplit {
  /** By which they are known: with the prefix of `namespaces`, where there is one. */
  readonly name: string;
  readonly onElement: (value: Element, line: number, length: number) => void;
  /** Something came to its end: what is in memory is short again. */
  readonly onProgress: () => void;
}

interface Reading {
  write(text: string): void;
  /** The value of the document; nothing where elements were taken out. */
  end(): unknown;
}

function reading(plan: ReadPlan, split?: ElementSplit): Reading {
  // XML 1.1 allows control characters that no XML 1.0 document can hold; read as 1.0, as XML 1.0 §2.8 wants it.
  const parser = new SaxesParser({ defaultXMLVersion: '1.0', forceXMLVersion: true });
  const scope = new Scope();
  const names = new Map<string, Known>();
  const frames = [newFrame(plan.arrays)];
  const { elements, mixed, coerce } = plan;
  let depth = 0;
  let top = frames[0] ?? newFrame();
  let attributes: Attribute[] = [];
  let pending = '';
  let lastClosed = '';
  /** Depth and line of the element that is being taken out; 0 = none is. */
  let inside = 0;
  let line = 0;
  let begun = 0;
  const isAround = (): boolean => split !== undefined && inside === 0;

  const fail = (message: string): never => {
    parser.fail(message);
    throw new Error(message);
  };

  const nameOf = (raw: string): Known => {
    const known = names.get(raw);
    if (known !== undefined) return known;
    if (names.size === mostNames) names.clear();
    const name = xmlName(raw);
    if (typeof name === 'string') return fail(name);
    const made: Known = { ...name, attributeKey: `@${raw}`, uri: undefined, key: raw };
    names.set(raw, made);
    return made;
  };

  const uriOf = (name: XmlName): string =>
    scope.uriOf(name.prefix) ??
    (name.prefix === '' ? '' : fail(`the prefix ${name.prefix} of ${name.raw} is not declared`));

  const namespacedKey = (name: XmlName, uri: string, prefixes: ReadonlyMap<string, string>): string => {
    const prefix = prefixes.get(uri);
    if (prefix !== undefined) return prefix === '' ? name.local : `${prefix}:${name.local}`;
    if (name.prefix === 'xml') return name.raw;
    if (plan.strip) return name.local;
    if (uri !== '' && plan.prefixes.has(name.prefix)) {
      const its = name.prefix === '' ? 'the empty prefix' : `the prefix ${name.prefix}`;
      return fail(
        `${its} means ${uri} here, and something else under \`namespaces\`: give that namespace a prefix too`,
      );
    }
    return name.raw;
  };

  const elementKey = (name: Known): string => {
    if (elements === undefined) {
      if (name.prefix !== '') uriOf(name);
      return name.raw;
    }
    const uri = uriOf(name);
    if (uri !== name.uri) {
      name.key = namespacedKey(name, uri, elements);
      name.uri = uri;
    }
    return name.key;
  };

  const attributeKey = (name: Known, value: Element): string => {
    if (name.prefix === '') return name.attributeKey;
    const uri = uriOf(name);
    if (elements === undefined) return name.attributeKey;
    // Elements of this namespace are bare, but an attribute cannot be: it keeps its prefix, and that its declaration.
    if (!plan.strip && elements.has(uri) && !plan.attributes.has(uri)) value[`@xmlns:${name.prefix}`] = uri;
    const key = `@${namespacedKey(name, uri, plan.attributes)}`;
    if (!Object.hasOwn(value, key)) return key;
    return Object.hasOwn(value, name.attributeKey)
      ? fail(`the attribute ${name.raw} is there twice`)
      : name.attributeKey;
  };

  const isKept = (uri: string): boolean => {
    if (elements === undefined) return true;
    return !plan.strip && !elements.has(uri);
  };

  const declareAll = (): void => {
    for (const attribute of attributes) {
      if (!attribute.name.startsWith('xmlns')) continue;
      const prefix = declaredPrefix(nameOf(attribute.name));
      if (prefix === undefined) continue;
      const mistake = declarationMistake(prefix, attribute.value);
      if (mistake !== undefined) fail(mistake);
      scope.declare(prefix, attribute.value);
    }
  };

  // Two prefixes may stand for one namespace: then `a:id` and `b:id` are the same attribute (Namespaces §6.3).
  const refuseTwins = (): void => {
    const seen = new Set<string>();
    for (const attribute of attributes) {
      const name = nameOf(attribute.name);
      if (name.prefix === '' || name.prefix === 'xmlns') continue;
      const expanded = `${uriOf(name)} ${name.local}`;
      if (seen.has(expanded)) fail(`the attribute ${name.raw} is there twice`);
      seen.add(expanded);
    }
  };

  const addAttributes = (frame: Frame): void => {
    const value: Element = {};
    let kept = false;
    for (const attribute of attributes) {
      const name = nameOf(attribute.name);
      const prefix = declaredPrefix(name);
      if (prefix !== undefined) {
        if (!isKept(attribute.value)) continue;
        value[name.attributeKey] = attribute.value;
      } else {
        value[attributeKey(name, value)] = coerce ? coerced(attribute.value) : attribute.value;
      }
      kept = true;
    }
    if (kept) frame.value = value;
  };

  const endText = (frame: Frame): void => {
    if (mixed) frame.pieces.push(pending);
    if (!isBlank(pending)) frame.text += pending;
    pending = '';
  };

  parser.on('doctype', () => fail('a document type declaration is not allowed'));
  parser.on('attribute', (attribute) => {
    attributes.push(attribute);
  });
  parser.on('text', (piece) => {
    pending += piece;
  });
  parser.on('cdata', (piece) => {
    pending += piece;
  });

  parser.on('opentag', (tag) => {
    if (isAround()) {
      pending = '';
      split?.onProgress();
    }
    if (pending !== '') endText(top);
    const { paths } = top;
    depth += 1;
    if (depth > maxDepth) fail(`it is nested deeper than ${maxDepth} levels`);
    let frame = frames[depth];
    if (frame === undefined) {
      frame = newFrame();
      frames.push(frame);
    }
    top = frame;
    frame.value = undefined;
    frame.hasChildren = false;
    frame.text = '';
    if (mixed) frame.pieces = [];
    frame.mark = scope.mark();
    if (attributes.length > 0) {
      declareAll();
      if (attributes.length > 1) refuseTwins();
      addAttributes(frame);
      attributes = [];
    }
    frame.key = elementKey(nameOf(tag.name));
    frame.paths = paths?.below.get(frame.key);
    if (isAround() && frame.key === split?.name) {
      inside = depth;
      line = parser.line;
      begun = parser.position;
      frame.paths = plan.arrays?.below.get(frame.key);
    }
  });

  parser.on('closetag', (tag) => {
    const frame = top;
    lastClosed = tag.name;
    let value: unknown = frame.value;
    if (frame.value === undefined) {
      value = coerce ? coerced(pending) : pending;
    } else if (frame.hasChildren) {
      if (pending !== '') endText(frame);
      if (frame.text !== '') {
        if (mixed) value = mixedElement(frame.value, frame.pieces);
        else frame.value['#text'] = coerce ? coerced(frame.text) : frame.text;
      }
    } else if (pending !== '') {
      frame.value['#text'] = coerce ? coerced(pending) : pending;
    }
    pending = '';
    scope.leave(frame.mark);
    depth -= 1;
    top = frames[depth] ?? frame;
    if (split && depth < inside) {
      inside = 0;
      split.onElement({ [frame.key]: value }, line, parser.position - begun);
      split.onProgress();
      return;
    }
    if (isAround()) {
      split?.onProgress();
      return;
    }
    top.hasChildren = true;
    top.value ??= {};
    attach(top.value, frame.key, value, frame.paths?.isList === true);
    if (mixed) top.pieces.push({ [frame.key]: value });
  });

  let last = '';
  const checked = (step: () => void): void => {
    try {
      step();
    } catch (cause) {
      throw asFailure(cause, lastClosed, last);
    }
  };
  return {
    write(text) {
      last = text;
      checked(() => parser.write(text));
    },
    end() {
      checked(() => parser.close());
      return top.value;
    },
  };
}

function asFailure(cause: unknown, lastClosed: string, text: string): unknown {
  const match = cause instanceof Error ? /^(\d+):(\d+): (.*?)\.?$/s.exec(cause.message) : null;
  if (match === null) return cause;
  const [, line, column, found = ''] = match;
  // saxes closes the innermost element before it says that its name is another one.
  const what = found === 'unexpected close tag' ? `<${lastClosed}> is not closed` : found;
  // A reference is looked for as far as the next semicolon, so a bare ampersand is noticed late or at the very end.
  const isBare =
    found.includes('entity name') || (found.startsWith('unclosed') && text.lastIndexOf('&') > text.lastIndexOf(';'));
  const hint = isBare ? '; an & that begins no reference is written &amp;' : '';
  const detail = `line ${line}, column ${Math.max(1, Number(column))}: ${what}${hint}`;
  return failure('malformed', { format: 'xml', detail }, { cause });
}

/** The value of a document, by a plan prepared from the options. */
export function readXmlBy(plan: ReadPlan, bytes: Uint8Array, charset: string | undefined): unknown {
  const document = reading(plan);
  document.write(decode(bytes, charsetOfXml(bytes, charset), 'xml'));
  return document.end();
}

/** Takes elements out of a document as its text comes in. Throws `malformed` as {@link readXml}. */
export const readElements = (options: XmlOptions | undefined, split: ElementSplit): Reading =>
  reading(planOf(options), split);

/**
 * The value of an XML document: an object with the root element as its single key. Throws `malformed`, with line and
 * column, for what is not well-formed (also in the sense of Namespaces in XML), for document type declarations and hence
 * for entities of one's own, for more than 200 levels, and for elements or attributes called `__proto__`.
 */
export function readXml(bytes: Uint8Array, charset?: string, options?: XmlOptions): unknown {
  return readXmlBy(planOf(options), bytes, charset);
}
