import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Dispatcher, Pool } from 'undici';

const maxBody = 1024 * 1024;

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

/** Hands the body over when it is there in full; a body over the limit is answered with 413. */
export function collect(request: IncomingMessage, response: ServerResponse, then: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBody) chunks.push(chunk);
  });
  request.on('end', () => {
    if (size > maxBody) response.writeHead(413).end();
    else then(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size));
  });
}

export const openPool = (origin: string): Pool => new Pool(origin, { connections: 256, pipelining: 1 });

/** One request through undici's `dispatch`, the cheapest way it has. */
class Handler implements Dispatcher.DispatchHandler {
  readonly #done: (error: Error | undefined, answer?: Answer) => void;
  #status = 0;
  #contentType = '';
  readonly #chunks: Buffer[] = [];

  constructor(done: (error: Error | undefined, answer?: Answer) => void) {
    this.#done = done;
  }

  onRequestStart(): void {}

  onResponseStart(_controller: unknown, status: number, headers: object): void {
    this.#status = status;
    this.#contentType = String((headers as { readonly 'content-type'?: string })['content-type'] ?? '');
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const [first] = this.#chunks;
    const body = this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks);
    this.#done(undefined, { status: this.#status, contentType: this.#contentType, body });
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#done(error);
  }
}

export function call(
  pool: Pool,
  options: Pick<Dispatcher.DispatchOptions, 'path' | 'method' | 'headers' | 'body'>,
  done: (error: Error | undefined, answer?: Answer) => void,
): void {
  pool.dispatch(options, new Handler(done));
}

export const post = (
  pool: Pool,
  path: string,
  type: string | undefined,
  body: Buffer | string,
  response: ServerResponse,
): void =>
  call(
    pool,
    { path, method: 'POST', headers: { 'content-type': type ?? 'application/octet-stream' }, body },
    (error, answer) => (answer ? relay(answer, response) : fail(error, response)),
  );

export function relay({ status, contentType, body }: Answer, response: ServerResponse): void {
  if (status >= 300) {
    response.writeHead(502).end();
    return;
  }
  response.writeHead(status, { 'content-type': contentType, 'content-length': body.length });
  response.end(body);
}

export function fail(error: Error | undefined, response: ServerResponse): void {
  const body = JSON.stringify({ title: error?.message ?? 'error' });
  response.writeHead(502, { 'content-type': 'application/problem+json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
