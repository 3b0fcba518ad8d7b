import type { Server } from 'node:http';
import type { Log } from '../core/exchange.ts';

/** What the probes ask. */
export interface Health {
  readonly ready: boolean;
}

/**
 * The admin server: `/livez`, `/readyz`, `/startupz` for probes and `dowel healthcheck`. On loopback, away from the
 * business port; on a free port when its own is taken and nobody asked for it.
 */
export async function startAdmin(
  health: Health,
  options: { readonly host: string; readonly port: number; readonly insist: boolean },
  log: Log,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  // Importing node:http statically would cost ten times as much at start.
  const { createServer } = process.getBuiltinModule('node:http');
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    const known = path === '/livez' || path === '/readyz' || path === '/startupz';
    const status = !known ? 404 : path === '/livez' || health.ready ? 200 : 503;
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(status === 200 ? 'ok\n' : status === 404 ? 'not found\n' : 'not ready\n');
  });
  server.unref();
  const port = await listen(server, options.host, options.port).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE' || options.insist) throw error;
    return listen(server, options.host, 0);
  });
  // A connection that cannot be accepted is no reason to end the process.
  server.on('error', (error) => log.error('admin server error', { detail: error.message }));
  log.info('admin listening', { host: options.host, port });
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}
