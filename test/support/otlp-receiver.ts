import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { type ReceivedSpan, spansOfJson, spansOfProtobuf } from './otlp-decode.ts';

export interface ReceivedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** As it came, before anything was decoded. */
  readonly body: Buffer;
  readonly spans: readonly ReceivedSpan[];
}

export interface ReceiverAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

/** A receiver of OTLP over HTTP, as a collector is one: takes traces in Protocol Buffers and in JSON, and remembers them. */
export class OtlpReceiver implements AsyncDisposable {
  readonly requests: ReceivedRequest[] = [];
  /** How it answers; spans of what it does not take are not remembered as received. */
  answer: (request: ReceivedRequest) => ReceiverAnswer | Promise<ReceiverAnswer> = () => ({ status: 200 });
  readonly taken: ReceivedSpan[] = [];
  #server: Server | undefined;
  #port = 0;

  /** Listens, on the same port again after {@link stop}. */
  async start(): Promise<this> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', async () => {
        const body = Buffer.concat(chunks);
        const received = {
          path: request.url ?? '',
          headers: request.headers,
          body,
          spans: decoded(request.headers, body),
        };
        this.requests.push(received);
        const { status, headers, body: text } = await this.answer(received);
        if (status === 200) this.taken.push(...received.spans);
        response.writeHead(status, headers).end(text);
      });
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The spans with this name. */
  named(name: string): readonly ReceivedSpan[] {
    return this.taken.filter((span) => span.name === name);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

function decoded(headers: IncomingHttpHeaders, body: Buffer): readonly ReceivedSpan[] {
  const plain = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
  const type = headers['content-type'];
  if (type === 'application/x-protobuf') return spansOfProtobuf(plain);
  if (type === 'application/json') return spansOfJson(plain);
  throw new Error(`a request of the type ${type}`);
}
