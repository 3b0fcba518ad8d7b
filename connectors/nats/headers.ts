import { failure, type Headers, noHeaders } from '#sdk';
import type { Library, Message } from './connection.ts';

type MsgHdrs = import('@nats-io/transport-node').MsgHdrs;

/** The headers of a message: lower-case names, several values of one name as a list. */
export function headersOf(from: MsgHdrs | undefined): Headers {
  const headers = Object.create(null) as Record<string, string | readonly string[]>;
  for (const name of from?.keys() ?? []) {
    const values = from?.values(name) ?? [];
    const before = headers[name.toLowerCase()];
    const all = before === undefined ? values : [...(typeof before === 'string' ? [before] : before), ...values];
    headers[name.toLowerCase()] = all.length === 1 ? (all[0] ?? '') : all;
  }
  return headers;
}

/** Headers of a message, and the type of its body. */
export function partsOf(message: Message): { readonly headers: Headers; readonly type: string | undefined } {
  const headers = message.headers ? headersOf(message.headers) : noHeaders;
  const type = headers['content-type'];
  return { headers, type: typeof type === 'string' ? type : undefined };
}

/** Names that a protocol of the server reads: only options of the connector may say what it is to do. */
const own = /^nats-/i;

/** What goes out with a message: what the file says, and the type of the body. */
export function toHeaders(library: Library, given: Headers, contentType: string | undefined): MsgHdrs {
  const headers = library.headers();
  for (const [name, value] of Object.entries(given)) {
    if (own.test(name)) continue;
    for (const one of typeof value === 'string' ? [value] : value) append(headers, name, one);
  }
  if (contentType !== undefined && given['content-type'] === undefined) append(headers, 'content-type', contentType);
  return headers;
}

function append(headers: MsgHdrs, name: string, value: string): void {
  if (!/^[!#-'*+\-.^_`|~\w]+$/.test(name) || /[\r\n\0]/.test(value)) {
    throw failure('bad-request', { detail: `the header ${JSON.stringify(name)} cannot be sent`, sent: false });
  }
  headers.append(name, value);
}
