import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands before a server on the loopback interface, and lets tests do to connections what networks do. */
export class TcpProxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs: Set<readonly [Socket, Socket]>;
  readonly #muted: WeakSet<Socket>;

  private constructor(server: Server, port: number, pairs: Set<readonly [Socket, Socket]>, muted: WeakSet<Socket>) {
    this.#server = server;
    this.port = port;
    this.#pairs = pairs;
    this.#muted = muted;
  }

  static async before(target: number): Promise<TcpProxy> {
    const pairs = new Set<readonly [Socket, Socket]>();
    const muted = new WeakSet<Socket>();
    const server = createServer((near) => {
      const far = connect(target, '127.0.0.1');
      const pair = [near, far] as const;
      pairs.add(pair);
      near.pipe(far).pipe(near);
      for (const socket of pair) {
        socket.on('error', () => {});
        socket.on('close', (failed) => {
          // Of a silent server the near side does not even hear that it has closed.
          if (socket === far && muted.has(near) && !near.destroyed) return;
          pairs.delete(pair);
          // What was on its way when one side said goodbye still arrives.
          for (const other of pair)
            if (failed) other.destroy();
            else other.destroySoon();
        });
      }
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    return new TcpProxy(server, port, pairs, muted);
  }

  /** Connections that are open stay so, but nothing passes any more: neither side is told. New ones work. */
  mute(): void {
    for (const [near, far] of this.#pairs) {
      this.#muted.add(near);
      near.unpipe();
      far.unpipe();
      near.pause();
      far.pause();
    }
  }

  /** Ends all connections by RST, as a firewall does that has lost its memory. New ones work. */
  reset(): void {
    for (const socket of [...this.#pairs].flat()) {
      // One that is just ending cannot be reset: its handle would stay, and the process would spin at its end.
      if (socket.writableEnded || socket.connecting) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  /** Nobody listens any more, and what was connected is cut off; until {@link up}, on the same port. */
  async down(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.reset();
    await closed;
  }

  async up(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.port, '127.0.0.1', resolve);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
