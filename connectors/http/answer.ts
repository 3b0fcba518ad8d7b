import type { ServerResponse } from 'node:http';
import { type Exchange, failure, type Headers, type StreamSource } from '#sdk';
import { badInValue, fieldName, hopByHop } from './fields.ts';

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
  const { body, reply } = exchange;
  const { codec } = exchange.services;
  const status = reply?.status ?? (body.isEmpty ? 204 : 200);
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw failure('bad-request', { detail: `the reply has the status ${status}` }, { status: 500 });
  }
  const headers: string[] = ['x-request-id', exchange.id];
  let typed = false;
  if (reply) typed = addHeaders(headers, reply.headers, undefined) || typed;
  typed = addHeaders(headers, exchange.ownHeaders, reply?.headers) || typed;
  if (bodiless(status) || body.isEmpty) {
    body.discard();
    if (!bodiless(status)) headers.push('content-length', '0');
    return { status, headers, body: undefined };
  }
  if (!typed) {
    const type = body.wireType(codec);
    if (type !== undefined) headers.push('content-type', type);
  }
  const stream = body.takeStream();
  if (stream) {
    if (stream.length !== undefined) headers.push('content-length', String(stream.length));
    return { status, headers, body: stream };
  }
  const bytes = body.bytes(codec);
  const complete = (all: Uint8Array | string): Answer => {
    headers.push('content-length', String(typeof all === 'string' ? Buffer.byteLength(all) : all.length));
    return { status, headers, body: all };
  };
  return bytes instanceof Promise ? bytes.then(complete) : complete(bytes);
}

/** Whether a content type was among them. */
function addHeaders(raw: string[], headers: Headers, without: Headers | undefined): boolean {
  let typed = false;
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || hopByHop.has(name) || (without && Object.hasOwn(without, name))) continue;
    if (name === 'content-type') typed = true;
    if (name === 'x-request-id') raw.splice(0, 2);
    check(name, value);
    if (typeof value === 'string') raw.push(name, value);
    else for (const one of value) raw.push(name, one);
  }
  return typed;
}

function check(name: string, value: string | readonly string[]): void {
  const bad = typeof value === 'string' ? badInValue.test(value) : value.some((one) => badInValue.test(one));
  if (!bad && fieldName.test(name)) return;
  throw failure('bad-request', { detail: `the reply's header ${JSON.stringify(name)} is not valid` }, { status: 500 });
}

/**
 * Pipes a body to the client. What cannot be finished is cut with its connection: a client must never take a part for
 * the whole. `done` is called when everything was handed to the socket.
 */
export function pour(source: StreamSource, response: ServerResponse, done: () => void): void {
  const { stream } = source;
  let sent = 0;
  stream.on('data', (chunk: Uint8Array) => {
    sent += chunk.length;
    if (source.length !== undefined && sent > source.length) response.destroy();
    else if (!response.write(chunk)) stream.pause();
  });
  stream.on('end', () => {
    if (source.length !== undefined && sent !== source.length) response.destroy();
    else done();
  });
  stream.on('error', () => response.destroy());
  stream.on('close', () => {
    if (!stream.readableEnded) response.destroy();
  });
  response.on('drain', () => stream.resume());
  response.on('close', () => stream.destroy());
  response.on('error', () => stream.destroy());
}
