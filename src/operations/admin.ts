import type { Server } from 'node:http';
import type { Log } from '../core/exchange.ts';
import { cannotListen } from '../listen-error.ts';
import type { Serve } from './admin/serve.ts';
import type { AdminWorld } from './admin/world.ts';

export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  /** Not another port when it is taken. */
  readonly insist: boolean;
  readonly token?: string | undefined;
}

/**
 * The admin server: `/livez`, `/readyz`, `/startupz` for probes and `dowel healthcheck`; dead letters. On loopback, away
 * from the business port; on a free port when its own is taken and nobody asked for it.
 */
export async function startAdmin(
  world: AdminWorld,
  options: AdminOptions,
  log: Log,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  // Importing node:http statically would cost ten times as much at start.
  const { createServer } = process.getBuiltinModule('node:http');
  let serve: Promise<Serve> | undefined;
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/livez' || path === '/readyz' || path === '/startupz') {
      // The platform restarts what is not alive, so nothing that lies outside counts for that, nor that it stops.
      const [well, otherwise] =
        path === '/readyz' ? [world.ready, 'not ready\n'] : [path === '/livez' || world.started, 'not started\n'];
      response.writeHead(well ? 200 : 503, { 'content-type': 'text/plain; charset=utf-8' });
      response.end(well ? 'ok\n' : otherwise);
      return;
    }
    serve ??= import('./admin/serve.ts').then(({ serving }) => serving(world, options, log));
    void serve.then((answer) => answer(request, response));
  });
  server.unref();
  const port = await listen(server, options.host, options.port).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE' || options.insist) throw cannotListen(error, { ...options, section: 'admin' });
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
