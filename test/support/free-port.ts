import { createServer, type Server } from 'node:net';

/**
 * Below those that systems give out by themselves: a port that is free now is not in a moment the near end of somebody's
 * connection, or what a server got who asked for any.
 */
const lowest = 20_000;
const highest = 32_767;

/** In an order that other processes of this moment, whose numbers are near, do not meet. */
function* candidates(): Generator<number, never> {
  for (let next = process.pid * 41; ; next += 1) yield lowest + (next % (highest - lowest + 1));
}

const ports = candidates();

/** Ports of the loopback interface that nobody listens on, all different, and none given out before by this process. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers: Server[] = [];
  while (servers.length < count) {
    const server = await listening(ports.next().value);
    if (server !== undefined) servers.push(server);
  }
  const free = servers.map(portOf);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return free;
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error('no port was given');
  return port;
}

/** A port that somebody listens on, until it is disposed of. */
export async function takenPort(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = await listening(0);
  if (server === undefined) throw new Error('the system has no port left');
  return {
    port: portOf(server),
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** `undefined` where somebody else listens there. */
function listening(port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' || error.code === 'EACCES' ? resolve(undefined) : reject(error),
    );
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return address.port;
}
