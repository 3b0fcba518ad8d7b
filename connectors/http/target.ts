import { decoded } from './path.ts';

/** What a request line asks for (RFC 9112 §3.2), or in words why it cannot be served. */
export type Target = ReadTarget | { readonly problem: string };

export interface ReadTarget {
  readonly path: string;
  readonly query: string | undefined;
  readonly problem?: undefined;
}

// Browsers send some characters as they are that RFC 3986 wants percent-encoded; these nobody sends.
const outsideUri = /[^!-~]|#/;
// Written with dots or percent-encoded ones; the slash itself may not be encoded.
const dotSegment = /\/(?:\.|%2e){1,2}(?=\/|$)/i;

export function readTarget(url: string): Target {
  const text = url.charCodeAt(0) === 47 ? url : withoutOrigin(url);
  if (text === undefined) return { problem: 'the request line does not name a path' };
  if (outsideUri.test(text)) return { problem: 'the URL holds characters that must be percent-encoded' };
  const mark = text.indexOf('?');
  const path = mark === -1 ? text : text.slice(0, mark);
  if (path.includes('\\')) return { problem: 'the path holds a backslash' };
  if (path.includes('%') && decoded(path) === undefined) return { problem: 'the path is not percent-encoded UTF-8' };
  if ((path.includes('/.') || path.includes('/%')) && dotSegment.test(path)) {
    return { problem: 'the path holds `.` or `..`' };
  }
  return { path, query: mark === -1 ? undefined : text.slice(mark + 1) };
}

// A client that takes us for a proxy sends the whole URL; only its path matters here.
function withoutOrigin(url: string): string | undefined {
  const origin = /^https?:\/\/[^/?#]+/i.exec(url)?.[0];
  if (origin === undefined) return undefined;
  const rest = url.slice(origin.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

export type Query = Readonly<Record<string, string | readonly string[]>>;
const noQuery: Query = Object.freeze(Object.create(null) as Query);

/** A parameter that stands there several times is a list. `undefined` when the encoding is broken. */
export function readQuery(text: string | undefined): Query | undefined {
  if (text === undefined || text === '') return noQuery;
  const query = Object.create(null) as Record<string, string | string[]>;
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = plain(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? '' : plain(pair.slice(equals + 1));
    if (name === undefined || value === undefined) return undefined;
    const before = query[name];
    if (typeof before === 'object') before.push(value);
    else query[name] = before === undefined ? value : [before, value];
  }
  return query;
}

const plain = (text: string): string | undefined => decoded(text.includes('+') ? text.replaceAll('+', ' ') : text);
