import { decoded, type ParsedPath } from './path.ts';

interface Leaf<T> {
  /** Of several the latest serves. */
  readonly byMethod: Map<string, readonly Mounted<T>[]>;
}

interface Mounted<T> {
  readonly value: T;
  readonly names: readonly string[];
}

interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  parameter: Node<T> | undefined;
  leaf: Leaf<T> | undefined;
  rest: Leaf<T> | undefined;
}

const newNode = <T>(): Node<T> => ({ literals: new Map(), parameter: undefined, leaf: undefined, rest: undefined });

export type Params = Readonly<Record<string, string>>;
const noParams: Params = Object.freeze(Object.create(null) as Params);

export type Found<T> =
  | { readonly value: T; readonly params: Params }
  /** The path is known; `allow` lists its methods. */
  | { readonly value: undefined; readonly allow: readonly string[] };

/**
 * Which route serves a path. A tree of segments: literal segments win over parameters, parameters over the rest of the
 * path; a route that knows the path but not the method lets a less exact one answer. Segments are split before they are
 * decoded, once: an encoded slash stays inside its parameter.
 */
export class Routes<T> {
  readonly #root: Node<T> = newNode();
  // Paths without parameters are found by one look-up of the path as it came.
  readonly #exact = new Map<string, Leaf<T>>();

  /** What is mounted there already: the latest one serves. */
  at(method: string, path: ParsedPath): readonly T[] {
    return (this.#leaf(path)?.byMethod.get(method) ?? []).map((one) => one.value);
  }

  /** The latest one added serves; the returned function takes this one away again. */
  add(method: string, path: ParsedPath, value: T): () => void {
    const leaf = this.#leaf(path, true);
    const mounted: Mounted<T> = { value, names: path.names };
    const all = leaf?.byMethod.get(method) ?? [];
    leaf?.byMethod.set(method, [...all, mounted]);
    return () => {
      const left = (leaf?.byMethod.get(method) ?? []).filter((one) => one !== mounted);
      if (left.length > 0) leaf?.byMethod.set(method, left);
      else leaf?.byMethod.delete(method);
    };
  }

  /** `undefined`: nothing is served at that path. `path` was read by `target.ts`. */
  find(method: string, path: string): Found<T> | undefined {
    const exact = this.#exact.get(path);
    const mounted = exact && served(exact, method);
    if (mounted) return { value: mounted.value, params: noParams };
    const search: Search = { method, segments: path.slice(1).split('/'), values: [], allow: new Set() };
    const found = walk(this.#root, 0, search);
    if (found) return found;
    return search.allow.size > 0 ? { value: undefined, allow: allowed(search.allow) } : undefined;
  }

  #leaf(path: ParsedPath, create = false): Leaf<T> | undefined {
    let node = this.#root;
    for (const segment of path.segments) {
      if (segment.kind === 'rest') {
        if (create) node.rest ??= { byMethod: new Map() };
        return node.rest;
      }
      let next = segment.kind === 'literal' ? node.literals.get(segment.text) : node.parameter;
      if (!next) {
        if (!create) return undefined;
        next = newNode();
        if (segment.kind === 'literal') node.literals.set(segment.text, next);
        else node.parameter = next;
      }
      node = next;
    }
    if (create) node.leaf ??= { byMethod: new Map() };
    if (node.leaf && path.segments.every(isPlain)) {
      this.#exact.set(`/${path.segments.map((one) => one.text).join('/')}`, node.leaf);
    }
    return node.leaf;
  }
}

/** Stands in a request as it does here: nothing to decode, no slash that was encoded. */
const isPlain = (segment: ParsedPath['segments'][number]): boolean =>
  segment.kind === 'literal' && /^[\w.~-]*$/.test(segment.text);

interface Search {
  readonly method: string;
  readonly segments: readonly string[];
  readonly values: string[];
  readonly allow: Set<string>;
}

function served<T>(leaf: Leaf<T>, method: string): Mounted<T> | undefined {
  return leaf.byMethod.get(method)?.at(-1) ?? (method === 'HEAD' ? leaf.byMethod.get('GET')?.at(-1) : undefined);
}

function walk<T>(node: Node<T>, at: number, search: Search): Found<T> | undefined {
  const raw = search.segments[at];
  if (raw === undefined) return node.leaf && take(node.leaf, search);
  const text = decoded(raw) ?? raw;
  const literal = node.literals.get(text);
  const byLiteral = literal && walk(literal, at + 1, search);
  if (byLiteral) return byLiteral;
  if (node.parameter && text !== '') {
    search.values.push(text);
    const byParameter = walk(node.parameter, at + 1, search);
    if (byParameter) return byParameter;
    search.values.pop();
  }
  if (!node.rest) return undefined;
  const rest = search.segments.slice(at).join('/');
  if (rest === '') return undefined;
  search.values.push(decoded(rest) ?? rest);
  const byRest = take(node.rest, search);
  if (!byRest) search.values.pop();
  return byRest;
}

function take<T>(leaf: Leaf<T>, search: Search): Found<T> | undefined {
  const mounted = served(leaf, search.method);
  if (!mounted) {
    for (const method of leaf.byMethod.keys()) search.allow.add(method);
    return undefined;
  }
  if (mounted.names.length === 0) return { value: mounted.value, params: noParams };
  // One without a prototype would be a hash table.
  const params: Record<string, string> = {};
  for (let at = 0; at < mounted.names.length; at++) params[mounted.names[at] ?? ''] = search.values[at] ?? '';
  return { value: mounted.value, params };
}

function allowed(methods: ReadonlySet<string>): readonly string[] {
  const all = new Set([...methods, 'OPTIONS']);
  if (all.has('GET')) all.add('HEAD');
  return [...all].sort();
}
