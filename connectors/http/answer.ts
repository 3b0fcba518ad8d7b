import type { ServerResponse } from 'node:http';
import { type Exchange, failure, type Headers, noHeaders, type StreamSource } from '#sdk';
import { badInValue, fieldName, hopByHop } from './fields.ts';
import { onceWritten, Received } from './received.ts';

/** Head and body of an answer, ready to be written. */
export interface Answer {
  readonly status: number;
  /** Raw pairs: node writes them as they are, without building an object first. */
  readonly headers: string[];
  readonly body: Uint8Array | string | StreamSource | undefined;
}

/** Statuses that never have a body (RFC 9110 §6.4.1). */
const bodiless = (status: number): boolean => status === 204 || status === 304;

/** What the end of a flow says. */
export function answerOf(exchange: Exchange): Answer | Promise<Answer> {
  const { reply } = exchange;
  const { codec } = exchange.services;
  const own = reply ? reply.headers : exchange.ownHeaders;
  const body = exchange.body.as(own['content-type']);
  const status = reply?.status ?? (body.isEmpty ? 204 : 200);
  const headers = own['x-request-id'] === undefined ? ['x-request-id', exchange.origin.requestId ?? exchange.id] : [];
  if (own['x-content-type-options'] === undefined) headers.push('x-content-type-options', 'nosniff');
  if (own !== noHeaders) addHeaders(headers, own);
  if (bodiless(status) || body.isEmpty) {
    body.discard();
    if (!bodiless(status)) headers.push('content-length', '0');
    return { status, headers, body: undefined };
  }
  if (own['content-type'] === undefined) {
    const type = body.wireType(codec);
    if (type !== undefined) headers.push('content-type', type);
  }
  const stream = body.takeStream();
  if (stream) {
    if (stream.length !== undefined) headers.push('content-length', String(stream.length));
    return { status, headers, body: stream };
  }
  const bytes = body.bytes(codec);
  return bytes instanceof Promise ? bytes.then((all) => sized(status, headers, all)) : sized(status, headers, bytes);
}

function sized(status: number, headers: string[], body: Uint8Array | string): Answer {
  headers.push('content-length', String(typeof body === 'string' ? Buffer.byteLength(body) : body.length));
  return { status, headers, body };
}

function addHeaders(raw: string[], headers: Headers): void {
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || hopByHop.has(name)) continue;
    if (typeof value === 'string') add(raw, name, value);
    else for (const one of value) add(raw, name, one);
  }
}

function add(raw: string[], name: string, value: string): void {
  if (!fieldName.test(name) || badInValue.test(value)) {
    throw failure(
      'bad-request',
      { detail: `the reply's header ${JSON.stringify(name)} is not valid` },
      { status: 500 },
    );
  }
  raw.push(name, value);
}

export const isStream = (body: Answer['body']): body is StreamSource =>
  typeof body === 'object' && !(body instanceof Uint8Array);

/**
 * Pipes a body to the client, as fast as it reads. What cannot be finished is cut with its connection: a client must
 * never take a part for the whole. `sent` is called when everything was handed over, `cut` when the body failed.
 */
export function pour(
  { stream, length }: StreamSource,
  response: ServerResponse,
  options: { readonly stallMs: number; readonly sent: () => void; readonly cut: (why: string) => void },
): void {
  if (stream instanceof Received) stream.writeOn();
  const { socket } = response;
  let size = 0;
  let over = false;
  const cut = (why: string): void => {
    if (over) return;
    over = true;
    options.cut(why);
    response.destroy();
  };
  stream.on('data', (chunk: Uint8Array) => {
    size += chunk.length;
    if (length !== undefined && size > length) {
      cut(`it is longer than the ${length} bytes announced`);
    } else if (!response.write(chunk, onceWritten(chunk))) {
      stream.pause();
      socket?.setTimeout(options.stallMs);
    }
  });
  response.on('drain', () => {
    socket?.setTimeout(0);
    stream.resume();
  });
  stream.on('end', () => {
    if (length !== undefined && size !== length) {
      cut(`it ended after ${size} of the ${length} bytes announced`);
    } else if (!over) {
      over = true;
      options.sent();
    }
  });
  stream.on('error', (error) => cut(error.message));
  stream.on('close', () => cut('it ended too early'));
  response.on('close', () => {
    over = true;
    stream.destroy();
  });
}

/** Up to here a body is sent together with the headers. */
const oneWrite = 4096;

/** Node writes headers and text in one piece, headers and bytes in two; Latin-1 keeps every byte what it is. */
export function endWith(response: ServerResponse, body: Uint8Array | string | undefined): void {
  if (!Buffer.isBuffer(body) || body.length > oneWrite) response.end(body);
  else response.end(body.toString('latin1'), 'latin1');
}
