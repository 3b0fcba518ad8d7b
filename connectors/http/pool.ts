import { createRequire, Module } from 'node:module';
import type { LookupFunction, Socket } from 'node:net';
import type { buildConnector, Pool } from 'undici';
import type { EndpointOptions } from './definition.ts';
import { silenceMs } from './network-error.ts';
import { onceWritten } from './received.ts';

export type { Dispatcher } from 'undici';
export type { Pool };

/** What we use of undici. */
interface Client {
  readonly Pool: new (origin: string, options: Pool.Options) => Pool;
  readonly buildConnector: typeof buildConnector;
}

// Measured: `undici` costs 83 ms of CPU and 27 MB (it loads fetch, WebSocket, caches, mocks …); its pool alone 30 ms and
// 13 MB, and without HTTP/2, which is never spoken (`allowH2: false`), half of that. The package has no export map that
// forbids the deep paths, and its version is pinned; should the files move, the whole package serves as well.
const poolModule = 'undici/lib/dispatcher/pool.js';
const connectModule = 'undici/lib/core/connect.js';
const http2Module = 'undici/lib/dispatcher/client-h2.js';

// A CommonJS package is read twice, and kept twice, when it is imported.
const load = createRequire(import.meta.url);

async function loadClient(): Promise<Client> {
  try {
    deferHttp2();
    return {
      Pool: load(poolModule) as Client['Pool'],
      buildConnector: load(connectModule) as Client['buildConnector'],
    };
  } catch {
    return import('undici');
  }
}

/** Puts something in the place of undici's HTTP/2 that loads it when a connection is to speak it. */
function deferHttp2(): void {
  const path = load.resolve(http2Module);
  if (load.cache[path]) return;
  const later = new Module(path);
  later.loaded = true;
  later.exports = (...connection: readonly unknown[]): unknown => {
    if (load.cache[path] === later) delete load.cache[path];
    return (load(path) as (...connection: readonly unknown[]) => unknown)(...connection);
  };
  load.cache[path] = later;
}

/** An address that a name has. */
export interface Address {
  readonly address: string;
  readonly family: number;
}

export type OpenPool = (origin: string, options: EndpointOptions, at?: Address) => Pool;

/** Connections to one origin: an endpoint can never be led to another one. */
export async function openPool(origin: string, options: EndpointOptions): Promise<Pool> {
  const open = await poolOpener();
  return open(origin, options);
}

/** With `at`, all connections go to that address of the name; certificates and `Host` are those of the name. */
export async function poolOpener(): Promise<OpenPool> {
  const { Pool, buildConnector } = await loadClient();
  return (origin, options, at) => {
    const { tls, pool } = options;
    return new Pool(origin, {
      connections: connectionsOf(options),
      keepAliveTimeout: pool?.keepAlive ?? 4_000,
      allowH2: false,
      headersTimeout: silenceMs,
      bodyTimeout: silenceMs,
      // Every request has its connection to itself: one slow answer delays no other.
      pipelining: 1,
      connect: handingBack(
        buildConnector({
          allowH2: false,
          timeout: pool?.connectTimeout ?? 5_000,
          ...(tls?.ca && { ca: tls.ca.text }),
          ...(tls?.cert && { cert: tls.cert.text }),
          ...(tls?.key && { key: tls.key.text }),
          ...(tls?.servername !== undefined && { servername: tls.servername }),
          ...(tls && { rejectUnauthorized: tls.rejectUnauthorized }),
          ...(at && { lookup: always(at) }),
        }),
      ),
    });
  };
}

/** Connections that give back the memory of what is only passed on: undici writes pieces of bodies without a callback. */
const handingBack =
  (connect: buildConnector.connector): buildConnector.connector =>
  (options, done) =>
    connect(options, (...[error, socket]) => {
      if (error) return done(error, null);
      const write: Write = socket.write.bind(socket);
      const writeAndHandBack: Write = (chunk, encoding, callback) =>
        write(chunk, encoding, callback ?? (typeof chunk === 'string' ? undefined : onceWritten(chunk)));
      socket.write = writeAndHandBack as Socket['write'];
      done(null, socket);
    });

type Write = (
  chunk: Uint8Array | string,
  encoding?: BufferEncoding,
  callback?: (error?: Error | null) => void,
) => boolean;

/** Open connections at most. */
export const connectionsOf = ({ pool }: EndpointOptions): number => pool?.connections ?? 256;

const always =
  (at: Address): LookupFunction =>
  (_name, options, found) => {
    if (options.all) found(null, [at]);
    else found(null, at.address, at.family);
  };
