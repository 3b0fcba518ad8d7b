import { createServer } from 'node:net';

/** `port` when nobody has it, else one that is free. */
export async function freeOr(port: number): Promise<number> {
  return (await listened(port)) ?? (await listened(0)) ?? port;
}

export const isFree = async (port: number): Promise<boolean> => (await listened(port)) !== undefined;

/** The port it could listen on: for 0 any. */
function listened(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });
}
