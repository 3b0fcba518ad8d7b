import type { Duplex } from 'node:stream';
import { type Failure, failure } from '#sdk';
import { Connection } from './connection.ts';
import { problemOf, problemType } from './problem.ts';

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
};

/** Answers what node's parser refused, on the bare socket: there is no response object for it. */
export function refuseRaw(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable || !('bytesRead' in socket)) {
    socket.destroy();
    return;
  }
  const problem = problemOf(failureOf(error), undefined);
  const document =
    `HTTP/1.1 ${problem.status} ${reasons[problem.status] ?? ''}\r\ncontent-type: ${problemType}\r\n` +
    `content-length: ${Buffer.byteLength(problem.text)}\r\nconnection: close\r\n\r\n${problem.text}`;
  const connection = Connection.of(socket as Parameters<typeof Connection.of>[0]);
  const [latest] = [...connection.serving].reverse();
  if (latest && !latest.complete) {
    // The body of a request that is being served: that request is what is answered.
    latest.refuse(failureOf(error));
    return;
  }
  // Earlier requests of the connection (pipelining) get their answers first.
  connection.onIdle(() => {
    socket.end(document, () => socket.destroy());
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
    default:
      return failure('bad-request', { detail: 'it is not HTTP/1.1' });
  }
}
