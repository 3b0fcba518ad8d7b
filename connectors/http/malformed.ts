import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Failure, failure } from '#sdk';
import { Connection } from './connection.ts';
import { problemOf } from './problem.ts';

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
};

/** Answers what node's parser refused, on the bare socket: there is no response object for it. */
export function refuseRaw(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = failureOf(error);
  // An http server gives its net sockets, though its types promise less.
  const connection = Connection.of(socket as Socket);
  const latest = connection.serving.at(-1);
  if (latest && !latest.complete) {
    // The body of a request that is being served: that request is what is answered.
    latest.broken(refusal);
    return;
  }
  const { status, headers, text } = problemOf(refusal, {});
  const fields = headers.map((one, index) => (index % 2 === 0 ? `${one}: ` : `${one}\r\n`)).join('');
  const head = `HTTP/1.1 ${status} ${reasons[status] ?? 'Error'}\r\n${fields}content-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n`;
  // Earlier requests of the connection (pipelining) get their answers first.
  connection.onIdle(() => {
    socket.end(head + text, () => socket.destroy());
  });
}

function failureOf(error: NodeJS.ErrnoException): Failure {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return failure('bad-request', { detail: 'the headers are larger than 16 KiB' }, { status: 431 });
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return failure('bad-request', { detail: 'the request did not arrive in time' }, { status: 408 });
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return failure('bad-request', { detail: 'the chunk extensions are too large' }, { status: 413 });
    case 'HPE_UNEXPECTED_CONTENT_LENGTH':
    case 'HPE_INVALID_CONTENT_LENGTH':
      return failure('bad-request', { detail: 'its length is not clear: one Content-Length, or chunks, but not both' });
    default:
      return failure('bad-request', { detail: 'it is not HTTP/1.1' });
  }
}
