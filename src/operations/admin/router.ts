import { customFailure } from '../../errors.ts';
import { type Answer, problem } from './answer.ts';

export interface AdminRequest {
  /** Of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The parsed body; `undefined` when there is none. Rejects with `bad-request` or `too-large`. */
  readonly body: () => Promise<unknown>;
}

/** One thing that the admin server does. */
export interface AdminRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As in OpenAPI: `/dead-letters/{id}`. */
  readonly path: string;
  /** `open`: to everybody, as the probes. `change`: never without the token. */
  readonly access: 'open' | 'read' | 'change';
  readonly handle: (request: AdminRequest) => Promise<Answer>;
}

export type Match =
  | { readonly route: AdminRoute; readonly params: Readonly<Record<string, string>> }
  /** Nothing is there, or not for this method. */
  | { readonly answer: Answer };

export function findRoute(routes: readonly AdminRoute[], method: string, path: string): Match {
  const here = routes.flatMap((route) => {
    const params = paramsOf(route.path, path);
    return params ? [{ route, params }] : [];
  });
  if (here.length === 0) {
    const paths = [...new Set(routes.map((route) => route.path))].join(', ');
    return { answer: problem(404, 'not-found', `Nothing is served at ${path}; there are ${paths}`) };
  }
  const found = here.find(({ route }) => route.method === method || (route.method === 'GET' && method === 'HEAD'));
  if (found) return found;
  const allow = [...new Set(here.map(({ route }) => route.method))].join(', ');
  return {
    answer: problem(405, 'method-not-allowed', `${method} is not served at ${path}; allowed: ${allow}`, { allow }),
  };
}

function paramsOf(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const text = given[index] ?? '';
    const [, name] = /^\{(\w+)\}$/.exec(part) ?? [];
    if (name === undefined) {
      if (part !== text) return undefined;
    } else {
      const value = decoded(text);
      if (!value) return undefined;
      params[name] = value;
    }
  }
  return params;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The parameters of a query: each known, and at most once. Throws `bad-request`. */
export function queryOf(query: URLSearchParams, known: readonly string[]): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, value] of query) {
    if (!known.includes(name)) throw badRequest(`there is no parameter ${name}; known are ${known.join(', ')}`);
    if (name in found) throw badRequest(`the parameter ${name} stands there twice`);
    found[name] = value;
  }
  return found;
}

export const badRequest = (detail: string) =>
  customFailure('bad-request', 'permanent', 400, `The request cannot be served: ${detail}`);
