import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { cannotListen, failure, type Log, type ServerSource, type SourceContext, toFailure } from '#sdk';
import { Call, type Route } from './call.ts';
import type { Certificates } from './certificates.ts';
import { Connection } from './connection.ts';
import { isPreflight } from './cors.ts';
import { refuseRaw } from './malformed.ts';
import type { ParsedPath } from './path.ts';
import { type Patience, usualPatience } from './patience.ts';
import { RequestMeter } from './request-meter.ts';
import { Routes } from './routes.ts';
import { readTarget } from './target.ts';

// A static import would read node:http's lazy getters, and those load a whole second HTTP client.
const http = process.getBuiltinModule('node:http');
const net = process.getBuiltinModule('node:net');

type Services = SourceContext['services'];

/** Who serves a route. */
export interface Mount extends Route {
  /** The running integration it belongs to: a reload brings another one. */
  readonly owner: object;
}

/** One listening port, shared by all http sources of the process. */
export class HttpServer {
  readonly services: Services;
  readonly patience: Patience;
  readonly meter: RequestMeter;
  readonly secure: boolean;
  readonly #host: string;
  readonly #port: number;
  readonly #log: Log;
  readonly #routes = new Routes<Mount>();
  readonly #connections = new Set<Connection>();
  #mounts = 0;
  #certificates: Certificates | undefined;
  #server: Server | undefined;
  #opening: Promise<void> | undefined;
  #lastCall: { readonly over: Promise<void>; end(): void } | undefined;
  #closed: Promise<void> | undefined;
  /** Of the port as it was open before: until the last of those who were connected then has gone. */
  #closing: Promise<void> | undefined;
  /** How many connections there have been. */
  #arrived = 0;

  constructor(options: {
    readonly host: string;
    readonly port: number;
    readonly tls?: boolean;
    readonly services: Services;
    readonly log: Log;
    readonly patience?: Patience;
  }) {
    this.services = options.services;
    this.patience = options.patience ?? usualPatience;
    this.secure = options.tls === true;
    this.meter = new RequestMeter(options.services.meter);
    this.#host = options.host;
    this.#port = options.port;
    this.#log = options.log;
  }

  get address(): AddressInfo | undefined {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address : undefined;
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Each connection ends with the answer that is next on it, which says `Connection: close`. */
  get draining(): boolean {
    return this.#closed !== undefined || this.#lastCall !== undefined;
  }

  /**
   * Serves the route until the returned function is called: what an earlier integration serves there steps back, and
   * serves again afterwards. After the last route the port is closed: that resolves when no further request is taken.
   */
  mount(methods: readonly string[], path: ParsedPath, mount: Mount, text: string): () => Promise<void> {
    for (const method of methods) {
      const rival = this.#routes.at(method, path).find((one) => one.owner === mount.owner);
      if (!rival) continue;
      const detail = `the flows ${rival.flow} and ${mount.flow} both serve ${method} ${text}; give one of them another path or method`;
      throw failure('startup', { what: `The http source of ${mount.flow}`, detail });
    }
    const remove = methods.map((method) => this.#routes.add(method, path, mount));
    this.#mounts += 1;
    let mounted = true;
    return async () => {
      if (!mounted) return;
      mounted = false;
      this.#mounts -= 1;
      // All sources of a version stop in one go: is this one gone, or all of them?
      await Promise.resolve();
      if (this.#mounts === 0) await this.#sayLastCall();
      for (const one of remove) one();
    };
  }

  /**
   * Before the port is closed, whoever is connected has a moment for one more request: its answer tells them to go
   * elsewhere, where closing at once would cut what is just on its way.
   */
  #sayLastCall(): Promise<void> {
    if (this.draining) return this.#lastCall?.over ?? Promise.resolve();
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const end = (): void => {
      cancel();
      this.#lastCall = undefined;
      // A reload may have brought a route meanwhile.
      if (this.#mounts === 0) this.#drain();
      resolve();
    };
    const cancel = this.services.clock.after(this.patience.lastCall, () => {
      this.#whenAllHaveArrived(() => {
        if (this.#lastCall?.end === end) end();
      });
    });
    this.#lastCall = { over, end };
    this.#closeIfNobodyIsThere();
    return over;
  }

  #closeIfNobodyIsThere(): void {
    if (!this.#lastCall || this.#connections.size > 0) return;
    this.#whenAllHaveArrived(() => {
      if (this.#connections.size === 0) this.#lastCall?.end();
    });
  }

  /**
   * A process that was too busy to look has not seen yet who is connected: of those that wait it is shown one in each
   * turn of the event loop, and what they sent in the next one. Whoever were not looked at would be cut.
   */
  #whenAllHaveArrived(run: () => void): void {
    const { clock } = this.services;
    const latest = clock.monotonic() + this.patience.lastCall;
    const look = (arrived: number, quiet: number): void => {
      if (quiet === 2 || clock.monotonic() > latest) run();
      else setImmediate(() => look(this.#arrived, this.#arrived === arrived ? quiet + 1 : 0));
    };
    look(this.#arrived, 0);
  }

  /** Resolves when the port is open. With `tls` the connections from now on have these certificates. */
  async listen(tls?: ServerSource['tls']): Promise<void> {
    // A version that served elsewhere had it closed, and somebody is still waiting for an answer of the one before.
    if (this.#closed) {
      this.#closing = this.#closed;
      this.#closed = undefined;
      this.#opening = undefined;
      this.#certificates = undefined;
    }
    if (tls && this.#certificates) this.#certificates.use(tls);
    this.#opening ??= this.#open(tls);
    await this.#opening;
  }

  /** Gives up what is still going on, and resolves when no connection is left. */
  async close(): Promise<void> {
    await this.#opening?.catch(() => {});
    this.#lastCall?.end();
    this.#drain();
    for (const connection of [...this.#connections]) connection.close();
    this.#certificates?.giveUpArriving();
    const cancel = this.services.clock.after(this.patience.farewell, () => {
      for (const connection of [...this.#connections]) connection.socket.destroy();
    });
    await this.#closed;
    cancel();
  }

  async #open(tls: ServerSource['tls']): Promise<void> {
    const { patience } = this;
    const settings: ServerOptions = {
      headersTimeout: patience.headers,
      requestTimeout: patience.request,
      keepAliveTimeout: patience.keepAlive,
      connectionsCheckingInterval: patience.check,
      // Answered here, with a problem document.
      requireHostHeader: false,
      insecureHTTPParser: false,
      noDelay: true,
    };
    const server = tls ? await this.#secureServer(settings, tls) : http.createServer(settings);
    // All that fit into the 16 KiB that node allows; it would drop the surplus without a word.
    server.maxHeadersCount = 0;
    if (tls) server.on('secureConnection', (socket: Socket) => this.#connected(socket));
    else server.on('connection', (socket: Socket) => this.#connected(socket));
    server.on('request', (request, response) => this.#serve(new Call(request, response, this, false), request));
    server.on('checkContinue', (request, response) => this.#serve(new Call(request, response, this, true), request));
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      new Call(request, response, this, false).refuse(
        failure('bad-request', { detail: 'the only expectation that can be met is 100-continue' }, { status: 417 }),
      );
    });
    server.on('clientError', (error, socket) => {
      // Who does not get through its handshake is told so by TLS itself.
      if (!tls || this.#connections.has(Connection.of(socket as Socket))) refuseRaw(error, socket);
      else socket.destroy();
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        this.#opening = undefined;
        reject(cannotListen(error, { host: this.#host, port: this.#port, section: 'server' }));
      });
      server.listen(this.#port, this.#host, () => {
        server.removeAllListeners('error');
        server.on('error', (error) => this.#log.error('http server error', { detail: error.message }));
        const { address = this.#host, port = this.#port } = this.address ?? {};
        const host = address.includes(':') ? `[${address}]` : address;
        const scheme = tls ? 'https' : 'http';
        this.#log.info('listening', { url: `${scheme}://${host}:${port}`, host: address, port });
        resolve();
      });
    });
  }

  async #secureServer(settings: ServerOptions, tls: NonNullable<ServerSource['tls']>): Promise<Server> {
    const { Certificates } = await import('./certificates.ts');
    const { clock } = this.services;
    this.#certificates = new Certificates(tls, { clock, log: this.#log, ...this.patience });
    return this.#certificates.serve(settings);
  }

  #connected(socket: Socket): void {
    const connection = Connection.of(socket);
    this.#connections.add(connection);
    this.#arrived += 1;
    socket.on('close', () => {
      this.#connections.delete(connection);
      this.#closeIfNobodyIsThere();
    });
    // Resets are everyday; the connection's close tells the requests.
    socket.on('error', () => {});
  }

  #serve(call: Call, request: IncomingMessage): void {
    try {
      this.#route(call, request);
    } catch (thrown) {
      call.refuse(toFailure(thrown));
    }
  }

  #route(call: Call, request: IncomingMessage): void {
    checkHost(request);
    const { method = 'GET', url = '/' } = request;
    if (url === '*' && method === 'OPTIONS') {
      call.say(204, []);
      return;
    }
    const target = readTarget(url);
    if (target.problem !== undefined) throw failure('bad-request', { detail: target.problem });
    const found = this.#routes.find(method, target.path);
    if (found?.value) {
      call.run(found.value, target, found.params);
      return;
    }
    if (this.#closed) throw failure('stopping');
    if (!found) throw failure('not-found', { path: target.path });
    this.#withoutRoute(call, request, target.path, found.allow);
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
    if (!server || this.#closed) return;
    // Not the close of node:http: that cuts answers of which a part is still on its way to a slow client.
    const closed = new Promise<void>((resolve) => {
      net.Server.prototype.close.call(server, () => {
        // Ends its looking for slow requests.
        server.close();
        resolve();
      });
    });
    this.#closed = Promise.all([this.#closing, closed]).then(() => {});
    const certificates = this.#certificates;
    const connections = [...this.#connections];
    for (const connection of connections) connection.closeSoon();
    // Those that were just sending a request have been answered, or have sent nothing more.
    this.services.clock.after(
      this.patience.farewell,
      () => {
        certificates?.giveUpArriving();
        for (const connection of connections) connection.onIdle(() => connection.socket.destroySoon());
      },
      true,
    );
  }
}

/** Node takes the first of several Host headers, and another server on the way may have taken the last. */
function checkHost({ rawHeaders, httpVersionMinor }: IncomingMessage): void {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === 4 && (name === 'Host' || name === 'host' || name.toLowerCase() === 'host')) count += 1;
  }
  if (count > 1) throw failure('bad-request', { detail: 'there is more than one Host header' });
  if (count === 0 && httpVersionMinor === 1) throw failure('bad-request', { detail: 'the Host header is missing' });
}
