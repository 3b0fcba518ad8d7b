/** An integration on real sockets, services for it to call, and clients that keep no rule of HTTP unless they want to. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import zlib from 'node:zlib';
import type { Connector, OpenEndpoint } from '#sdk';
import { openEndpoint as openHttpEndpoint } from '../../../connectors/http/endpoint.ts';
import type { Resolver } from '../../../connectors/http/resolver.ts';
import { connectors } from '../../../connectors/index.ts';
import { prepare } from '../../../src/cli/prepare.ts';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import type { Meter } from '../../../src/core/meter.ts';
import { type Random, systemRandom } from '../../../src/core/random.ts';
import type { Program } from '../../../src/flow/program.ts';
import { Runtime } from '../../../src/flow/runtime.ts';
import { codec } from '../../../src/format/codec.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import type { Store } from '../../../src/store/store.ts';
import { type RecordingLog, recordingLog } from '../../support/plain-context.ts';

/** A running integration. */
export interface Running {
  readonly runtime: Runtime;
  readonly log: RecordingLog;
  readonly port: number;
  readonly url: string;
  /** Where its files are. */
  readonly folder: string;
  /** Another version of it, as hot reload would bring it. */
  swap(yaml: string, drainMs?: number): Promise<void>;
}

export interface RunningOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  /** Stands for DNS. */
  readonly resolver?: Resolver;
  readonly files?: Readonly<Record<string, string>>;
  readonly store?: Store;
  readonly meter?: Meter;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the integration on a free port; the test's end stops it. */
export async function startIntegration(t: TestContext, yaml: string, options: RunningOptions = {}): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-http-'));
  const log = recordingLog();
  const clock = options.clock ?? systemClock;
  const openStore = async (): Promise<Store> => options.store ?? new MemoryStore(clock, log);
  const random = options.random ?? systemRandom;
  const { meter } = options;
  const services = { clock, random, codec, log, openStore, ...(meter ? { meter } : {}) };
  const runtime = new Runtime(services, withResolver(options.resolver));
  t.after(async () => {
    await runtime.stop(0);
    rmSync(folder, { recursive: true });
  });
  await runtime.start(await programOf(folder, yaml, options));
  const port = Number(log.lines.find((line) => line.message === 'listening')?.fields['port']);
  return {
    runtime,
    log,
    port,
    url: `http://127.0.0.1:${port}`,
    folder,
    swap: async (next, drainMs = 10_000) => runtime.swap(await programOf(folder, next, options), drainMs),
  };
}

function withResolver(resolver: Resolver | undefined): Readonly<Record<string, Connector>> {
  const { http: plain } = connectors;
  if (!resolver || !plain) return connectors;
  const openEndpoint: OpenEndpoint = (options, context) => openHttpEndpoint(options, context, resolver);
  return { ...connectors, http: { ...plain, endpoint: async () => ({ openEndpoint }) } };
}

async function programOf(folder: string, yaml: string, { files = {}, env = {} }: RunningOptions): Promise<Program> {
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
  const file = join(folder, 'integration.yaml');
  writeFileSync(file, yaml);
  const { program, diagnostics } = await prepare(file, { env, config: 'required' });
  if (program) return program;
  throw new Error(diagnostics.map((one) => `${one.line}:${one.column} ${one.code}: ${one.message}`).join('\n'));
}

/** The messages of the errors of an integration, each with its place in the file. */
export async function findings(yaml: string): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-http-'));
  const file = join(folder, 'integration.yaml');
  writeFileSync(file, yaml);
  const { diagnostics } = await prepare(file, { env: {}, config: 'required' });
  rmSync(folder, { recursive: true });
  return diagnostics.filter((one) => one.severity === 'error').map((one) => `${one.pointer}: ${one.message}`);
}

const indented = (text: string, by: number): string =>
  text
    .replace(/^\n+|\s+$/g, '')
    .split('\n')
    .map((line) => ' '.repeat(by) + line)
    .join('\n');

/** Flows by name, each with its source and steps (written from column 0); endpoints as they stand in the file. */
export function integrationOf(
  flows: Readonly<Record<string, { readonly from: string; readonly steps: string; readonly more?: string }>>,
  endpoints?: string,
): string {
  const written = Object.entries(flows).map(([name, flow]) =>
    [
      `  ${name}:`,
      `    from: { ${flow.from} }`,
      ...(flow.more ? [indented(flow.more, 4)] : []),
      '    steps:',
      indented(flow.steps, 6),
    ].join('\n'),
  );
  return [
    'dowel: 1',
    'name: tried',
    'server: { host: 127.0.0.1, port: 0 }',
    ...(endpoints ? ['endpoints:', indented(endpoints, 2)] : []),
    'flows:',
    ...written,
  ].join('\n');
}

/** A request that a service got. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Service {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  /** In order of their arrival, whole. */
  readonly requests: readonly Received[];
  /** Open connections. */
  readonly sockets: ReadonlySet<Socket>;
}

/** A service that collects each request before it answers. */
export function startService(
  t: TestContext,
  answer: (request: Received, response: ServerResponse) => void,
): Promise<Service> {
  const requests: Received[] = [];
  return startRawService(
    t,
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const received = { method, url, headers, body: Buffer.concat(chunks).toString() };
        requests.push(received);
        answer(received, response);
      });
    },
    requests,
  );
}

/** A service that sees each request as soon as its headers are there. */
export async function startRawService(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  requests: readonly Received[] = [],
): Promise<Service> {
  const sockets = new Set<Socket>();
  const server = http.createServer(answer);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const port = await listening(t, server);
  return { url: `http://127.0.0.1:${port}`, port, server, requests, sockets };
}

/** A service below HTTP: it gets the socket. */
export async function startSocketService(t: TestContext, serve: (socket: Socket) => void): Promise<{ url: string }> {
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    serve(socket);
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { url: `http://127.0.0.1:${await listening(t, server)}` };
}

async function listening(t: TestContext, server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    if (server instanceof http.Server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** The text as JSON. */
  readonly json: unknown;
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
  readonly agent?: http.Agent;
}

/** A request with its whole answer; on a connection of its own unless an `agent` is given. */
export function request(url: string, options: RequestOptions = {}): Promise<Reply> {
  const { method = options.body === undefined ? 'GET' : 'POST', headers = {}, body, agent } = options;
  return new Promise((resolve, reject) => {
    const sent = http.request(url, { method, headers, agent: agent ?? false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          get json() {
            return JSON.parse(text);
          },
        });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** A text in every coding that is understood, by its name in `content-encoding`. */
export const packedIn = (text: string): Readonly<Record<string, Buffer>> => ({
  gzip: zlib.gzipSync(text),
  deflate: zlib.deflateSync(text),
  br: zlib.brotliCompressSync(text),
  zstd: zlib.zstdCompressSync(text),
  'gzip, br': zlib.brotliCompressSync(zlib.gzipSync(text)),
  identity: Buffer.from(text),
});

/** Sends JSON. */
export const post = (url: string, value: unknown, headers: http.OutgoingHttpHeaders = {}): Promise<Reply> =>
  request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(value),
  });

/** The members of a problem document that matter; fails when the answer is none. */
export function problemOf(reply: {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}): { readonly status: number; readonly code: string; readonly outcome: string; readonly detail: string } {
  if (reply.headers['content-type'] !== 'application/problem+json') {
    throw new Error(`not a problem document: ${reply.status} ${JSON.stringify(reply.headers)} ${reply.text}`);
  }
  const { status, code, outcome, detail } = JSON.parse(reply.text);
  if (status !== reply.status) throw new Error(`the document says ${status}, the status line ${reply.status}`);
  return { status, code, outcome, detail };
}

/** A client that sends bytes and sees bytes. */
export class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  #more: (() => void) | undefined;
  #ended = false;

  static async connect(t: TestContext, port: number): Promise<RawClient> {
    const socket = net.connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RawClient(socket);
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#more?.();
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#ended = true;
        this.#more?.();
        resolve();
      });
    });
  }

  get received(): string {
    return this.#received.toString('latin1');
  }

  send(...lines: readonly string[]): void {
    this.socket.write(lines.join('\r\n'), 'latin1');
  }

  /** The next answer on the connection, whose length must be given (a HEAD has none); fails when it closes before. */
  async reply(options: { readonly head?: boolean } = {}): Promise<Omit<Reply, 'json'>> {
    for (;;) {
      const end = this.#received.indexOf('\r\n\r\n');
      const head = end === -1 ? undefined : this.#received.subarray(0, end).toString('latin1').split('\r\n');
      if (head) {
        const headers: Record<string, string> = {};
        for (const line of head.slice(1)) {
          const colon = line.indexOf(':');
          headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
        }
        const status = Number(head[0]?.split(' ')[1]);
        const length =
          options.head || status < 200 || status === 204 ? 0 : Number(headers['content-length'] ?? Number.NaN);
        if (Number.isNaN(length)) throw new Error(`an answer without a length: ${head.join(' | ')}`);
        if (this.#received.length >= end + 4 + length) {
          const text = this.#received.subarray(end + 4, end + 4 + length).toString();
          this.#received = this.#received.subarray(end + 4 + length);
          return { status, headers, text };
        }
      }
      if (this.#ended) throw new Error(`closed before an answer: ${JSON.stringify(this.received)}`);
      await new Promise<void>((resolve) => {
        this.#more = resolve;
      });
    }
  }
}
