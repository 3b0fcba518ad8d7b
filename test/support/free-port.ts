import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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

/** Holds a file for each port that a living process was given: a server may take seconds until it listens there. */
const reservations = join(tmpdir(), 'dowel-test-ports');

const own: string[] = [];
process.once('exit', () => {
  for (const file of own) rmSync(file, { force: true });
});

/** Whether the port is this process' from now on. */
function reserve(port: number): boolean {
  const file = join(reservations, String(port));
  mkdirSync(reservations, { recursive: true });
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      own.push(file);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (isHeld(file)) return false;
      rmSync(file, { force: true });
    }
  }
}

/** By a process that is there; one that was killed took nothing back. */
function isHeld(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Ports of the loopback interface that nobody listens on, all different, and none given out before to a process that is there. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers: Server[] = [];
  while (servers.length < count) {
    const port = ports.next().value;
    const server = reserve(port) ? await listening(port) : undefined;
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
