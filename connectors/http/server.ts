import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { failure, type Log, type SourceContext, toFailure } from '#sdk';
import { Call, type Route } from './call.ts';
import { Connection } from './connection.ts';
import { isPreflight } from './cors.ts';
import { refuseRaw } from './malformed.ts';
import { type ParsedPath, Routes } from './routes.ts';
import { readTarget } from './target.ts';

// A static import would read node:http's lazy getters, and those load a whole second HTTP client.
const http = process.getBuiltinModule('node:http');

/** Time for the header section to arrive (slow-loris). */
const headersTimeout = 20_000;
/** Time for a whole request to arrive. */
const requestTimeout = 300_000;
/** Longer than the minute after which common load balancers close: else they send into a connection we are closing. */
const keepAliveTimeout = 72_000;
/** What connections get that were caught in the middle of sending a request when the server stops. */
const graceMs = 1_000;

type Services = SourceContext['services'];

export interface Mount extends Route {
  /** The running integration it belongs to: a reload brings another one. */
  readonly owner: object;
  readonly flow: string;
  /** Takes no new request. */
  stopped: boolean;
}

/** One listening port, shared by all http sources of the process. */
export class HttpServer {
  readonly #host: string;
  readonly #port: number;
  readonly #services: Services;
  readonly #log: Log;
  readonly #routes = new Routes<Mount>();
  readonly #connections = new Set<Connection>();
  readonly #mounts = new Set<Mount>();
  #server: Server | undefined;
  #opening: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  #draining = false;

  constructor(options: {
    readonly host: string;
    readonly port: number;
    readonly services: Services;
    readonly log: Log;
  }) {
    this.#host = options.host;
    this.#port = options.port;
    this.#services = options.services;
    this.#log = options.log;
  }

  get address(): AddressInfo | undefined {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address : undefined;
  }

  /** Serves the route; what was mounted there by an earlier integration serves again once this one is taken away. */
  mount(methods: readonly string[], path: ParsedPath, mount: Mount, text: string): () => void {
    for (const method of methods) {
      const rival = this.#routes.at(method, path).find((one) => one.owner === mount.owner && !one.stopped);
      if (!rival) continue;
      const detail = `the flows ${rival.flow} and ${mount.flow} both serve ${method} ${text}; let one of them have another path or method`;
      throw failure('startup', { what: `The http source of ${mount.flow}`, detail });
    }
    const remove = methods.map((method) => this.#routes.add(method, path, mount));
    this.#mounts.add(mount);
    return () => {
      for (const one of remove) one();
      this.#mounts.delete(mount);
    };
  }

  /** Resolves when the port is open. */
  listen(): Promise<void> {
    if (this.#draining) this.#opening = (this.#closed ?? Promise.resolve()).then(() => this.#open());
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** A source takes no more requests; after the last one the port is closed, and answers close their connections. */
  stopped(): void {
    if (this.#draining || [...this.#mounts].some((one) => !one.stopped)) return;
    this.#drain();
  }

  async close(): Promise<void> {
    await this.#opening?.catch(() => {});
    this.#drain();
    await this.#closed;
  }

  #open(): Promise<void> {
    const server = http.createServer({
      headersTimeout,
      requestTimeout,
      keepAliveTimeout,
      connectionsCheckingInterval: 5_000,
      // Both are answered here, with a problem document.
      requireHostHeader: false,
      insecureHTTPParser: false,
      noDelay: true,
    });
    // All that fit into the 16 KiB that node allows; it would drop the surplus without a word.
    server.maxHeadersCount = 0;
    server.on('connection', (socket: Socket) => this.#connected(socket));
    server.on('request', (request, response) => this.#serve(request, response, false));
    server.on('checkContinue', (request, response) => this.#serve(request, response, true));
    server.on('checkExpectation', (request, response) => {
      this.#call(request, response, false).refuse(
        failure('bad-request', { detail: 'the only expectation that can be met is 100-continue' }, { status: 417 }),
      );
    });
    server.on('clientError', refuseRaw);
    this.#server = server;
    this.#draining = false;
    this.#closed = undefined;
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        this.#opening = undefined;
        reject(this.#cannotListen(error));
      });
      server.listen(this.#port, this.#host, () => {
        server.removeAllListeners('error');
        server.on('error', (error) => this.#log.error('http server error', { detail: error.message }));
        const { address = this.#host, port = this.#port } = this.address ?? {};
        const host = address.includes(':') ? `[${address}]` : address;
        this.#log.info('listening', { url: `http://${host}:${port}`, host: address, port });
        resolve();
      });
    });
  }

  #cannotListen(error: NodeJS.ErrnoException): Error {
    const why: Readonly<Record<string, string>> = {
      EADDRINUSE: 'another process uses it; stop that one, or set another `server.port`',
      EACCES: 'this user may not; choose a port above 1023',
      EADDRNOTAVAIL: 'this machine does not have that address; correct `server.host`',
      ENOTFOUND: 'the name of the host is not known; correct `server.host`',
    };
    const detail = why[error.code ?? ''] ?? error.message;
    return failure(
      'startup',
      { what: `Port ${this.#port} of ${this.#host}`, detail, port: this.#port },
      { cause: error },
    );
  }

  #connected(socket: Socket): void {
    const connection = Connection.of(socket);
    this.#connections.add(connection);
    socket.on('close', () => this.#connections.delete(connection));
    // Resets are everyday; the connection's close tells the requests.
    socket.on('error', () => {});
  }

  #call(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): Call {
    return new Call(request, response, Connection.of(request.socket), this.#callContext(awaitsContinue));
  }

  readonly #closing = (): boolean => this.#draining;

  #callContext(awaitsContinue: boolean): ConstructorParameters<typeof Call>[3] {
    return { services: this.#services, closing: this.#closing, awaitsContinue };
  }

  #serve(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void {
    const call = this.#call(request, response, awaitsContinue);
    try {
      this.#route(call, request);
    } catch (thrown) {
      call.refuse(toFailure(thrown));
    }
  }

  #route(call: Call, request: IncomingMessage): void {
    const hosts = countHosts(request.rawHeaders);
    if (hosts > 1) throw failure('bad-request', { detail: 'there is more than one Host header' });
    if (hosts === 0 && request.httpVersionMinor === 1) {
      throw failure('bad-request', { detail: 'the Host header is missing' });
    }
    const method = request.method ?? 'GET';
    if (request.url === '*' && method === 'OPTIONS') {
      call.say(204, []);
      return;
    }
    const target = readTarget(request.url ?? '/');
    if (target.problem !== undefined) throw failure('bad-request', { detail: target.problem });
    const found = this.#routes.find(method, target.path);
    if (!found) throw failure('not-found', { path: target.path });
    if (found.value === undefined) {
      this.#withoutRoute(call, request, target.path, found.allow);
      return;
    }
    call.at(found.value);
    if (found.value.stopped) throw failure('stopping');
    call.run(found.value, target, found.params);
  }

  #withoutRoute(call: Call, request: IncomingMessage, path: string, allow: readonly string[]): void {
    const wanted = request.headers['access-control-request-method'];
    const preflight = isPreflight(request) ? this.#routes.find(wanted ?? '', path)?.value : undefined;
    if (preflight?.cors) {
      call.say(204, preflight.cors.preflight(request, allow));
      return;
    }
    if (request.method === 'OPTIONS') {
      call.say(204, ['allow', allow.join(', ')]);
      return;
    }
    // Pages of other origins should be able to read why.
    const route = this.#routes.find(allow[0] ?? '', path)?.value;
    if (route) call.at(route);
    throw failure('method-not-allowed', { method: request.method, path, allow });
  }

  #drain(): void {
    const server = this.#server;
    if (!server || this.#draining) return;
    this.#draining = true;
    this.#closed = new Promise((resolve) => {
      server.close(() => resolve());
    });
    for (const connection of [...this.#connections]) {
      // Their answers say `Connection: close`; a client that does not listen is cut behind them.
      if (connection.serving.size > 0) connection.onIdle(() => connection.socket.destroySoon());
      else if (connection.idle) connection.socket.destroy();
    }
    this.#services.clock.after(
      graceMs,
      () => {
        for (const connection of [...this.#connections]) {
          connection.onIdle(() => connection.socket.destroySoon());
        }
      },
      true,
    );
  }
}

/** Node takes the first of several Host headers, and another server on the way may have taken the last. */
function countHosts(raw: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i];
    if (name?.length === 4 && (name === 'Host' || name === 'host' || name.toLowerCase() === 'host')) count += 1;
  }
  return count;
}
