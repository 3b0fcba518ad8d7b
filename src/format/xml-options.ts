/** The options of XML, and their form for reading: prepared once for each options object. */

export type XmlOptions = {
  readonly arrays?: readonly string[];
  readonly namespaces?: Readonly<Record<string, string>>;
  readonly mixed?: boolean;
  readonly coerce?: boolean;
  readonly declaration?: boolean;
  readonly indent?: number;
  readonly root?: string;
};

export const xmlOptions = {
  type: 'object',
  properties: {
    arrays: {
      type: 'array',
      items: { type: 'string', pattern: '.', patternText: 'text that is not empty' },
      description:
        'Paths of elements that are always a list, from the root, as in `order.item`. A dot inside a name is written `\\.`.',
    },
    namespaces: {
      type: 'object',
      additionalProperties: { type: 'string', pattern: '.', patternText: 'text that is not empty' },
      description:
        'Prefix → namespace URI. Elements and attributes are then known by these prefixes, whatever the document used; the empty prefix gives names without one. Writing declares those it uses on the root.',
    },
    mixed: {
      type: 'boolean',
      default: false,
      description: 'Keep the order of text and elements that stand side by side, as a list under `#mixed`.',
    },
    coerce: {
      type: 'boolean',
      default: false,
      description:
        'Read `true`, `false` and the numbers that would be written back the same way as what they look like.',
    },
    declaration: {
      type: 'boolean',
      default: true,
      description: 'Write `<?xml version="1.0" encoding="UTF-8"?>` first.',
    },
    indent: {
      type: 'integer',
      minimum: 0,
      maximum: 10,
      description: 'Spaces a level when writing; all in one line by default.',
    },
    root: {
      type: 'string',
      pattern: '.',
      patternText: 'text that is not empty',
      description: 'The root element around a value that does not have exactly one key.',
    },
  },
} as const;

/** One level of the `arrays` paths. */
export interface ArrayPaths {
  readonly isList: boolean;
  readonly below: ReadonlyMap<string, ArrayPaths>;
}

export interface ReadPlan {
  readonly arrays: ArrayPaths | undefined;
  /** Namespace → prefix to know its elements by. Undefined: names stay as they are written. */
  readonly elements: ReadonlyMap<string, string> | undefined;
  /** Namespace → prefix to know its attributes by; never the empty one, as a bare attribute is in no namespace. */
  readonly attributes: ReadonlyMap<string, string>;
  /** Every prefix in `elements` and `attributes`. */
  readonly prefixes: ReadonlySet<string>;
  readonly mixed: boolean;
  readonly coerce: boolean;
  /** Drop prefixes that are not declared, and all declarations: SOAP payloads are known by their local names. */
  readonly strip: boolean;
}

interface Growing {
  isList: boolean;
  readonly below: Map<string, Growing>;
}

function arrayPaths(paths: readonly string[]): ArrayPaths {
  const top: Growing = { isList: false, below: new Map() };
  for (const path of paths) {
    let level = top;
    for (const step of path.split(/(?<!\\)\./)) {
      const name = step.replaceAll('\\.', '.');
      const next = level.below.get(name) ?? { isList: false, below: new Map() };
      level.below.set(name, next);
      level = next;
    }
    level.isList = true;
  }
  return top;
}

function prefixesByUri(entries: readonly (readonly [string, string])[]): ReadonlyMap<string, string> {
  const byUri = new Map<string, string>();
  for (const [prefix, uri] of entries) if (!byUri.has(uri)) byUri.set(uri, prefix);
  return byUri;
}

/** The plan for some options; `elementsOnly` are namespaces of elements that the caller must recognise (SOAP's own). */
export function makePlan(options: XmlOptions, elementsOnly?: Readonly<Record<string, string>>): ReadPlan {
  const declared = Object.entries(options.namespaces ?? {});
  const own = Object.entries(elementsOnly ?? {});
  const hasNamespaces = options.namespaces !== undefined || elementsOnly !== undefined;
  return {
    arrays: options.arrays === undefined || options.arrays.length === 0 ? undefined : arrayPaths(options.arrays),
    elements: hasNamespaces ? prefixesByUri([...own, ...declared]) : undefined,
    attributes: prefixesByUri(declared.filter(([prefix]) => prefix !== '')),
    prefixes: new Set([...own, ...declared].map(([prefix]) => prefix)),
    mixed: options.mixed === true,
    coerce: options.coerce === true,
    strip: elementsOnly !== undefined,
  };
}

const plain = makePlan({});
const plans = new WeakMap<XmlOptions, ReadPlan>();

/** The plan for reading; options are compiled once and live as long as their flow. */
export function planOf(options: XmlOptions | undefined): ReadPlan {
  if (options === undefined) return plain;
  const known = plans.get(options);
  if (known !== undefined) return known;
  const plan = makePlan(options);
  plans.set(options, plan);
  return plan;
}
