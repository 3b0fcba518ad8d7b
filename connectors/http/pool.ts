import type { Pool } from 'undici';
import type { EndpointOptions } from './definition.ts';
import { silenceMs } from './network-error.ts';

export type { Dispatcher } from 'undici';
export type { Pool };

type PoolClass = new (origin: string, options: Pool.Options) => Pool;

// Measured: `undici` costs 83 ms of CPU and 27 MB (it loads fetch, WebSocket, caches, mocks …); its pool alone 30 ms and
// 13 MB. The package has no export map that forbids the deep path, and its version is pinned; should the file move, the
// whole package serves as well.
const poolModule: string = 'undici/lib/dispatcher/pool.js';

async function loadClass(): Promise<PoolClass> {
  try {
    const { default: deep } = (await import(poolModule)) as { readonly default: PoolClass };
    return deep;
  } catch {
    const { Pool: whole } = await import('undici');
    return whole;
  }
}

/** Connections to one origin: an endpoint can never be led to another one. */
export async function openPool(origin: string, options: EndpointOptions): Promise<Pool> {
  const Pool = await loadClass();
  const { tls, pool } = options;
  return new Pool(origin, {
    connections: pool?.connections ?? 256,
    keepAliveTimeout: pool?.keepAlive ?? 4_000,
    allowH2: false,
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
    // Every request has its connection to itself: one slow answer delays no other.
    pipelining: 1,
    connect: {
      timeout: pool?.connectTimeout ?? 5_000,
      ...(tls?.ca && { ca: tls.ca.text }),
      ...(tls?.cert && { cert: tls.cert.text }),
      ...(tls?.key && { key: tls.key.text }),
      ...(tls?.servername !== undefined && { servername: tls.servername }),
      ...(tls && { rejectUnauthorized: tls.rejectUnauthorized }),
    },
  });
}
