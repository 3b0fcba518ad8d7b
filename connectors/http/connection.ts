import type { Socket } from 'node:net';
import type { Failure } from '#sdk';

/** A request that is being served. */
export interface Serving {
  /** The client went away. */
  gone(): void;
  /** The whole request has arrived. */
  readonly complete: boolean;
  /** Answers at once, or cuts the connection where an answer has begun. */
  refuse(error: Failure): void;
}

const key = Symbol('connection');

type Tracked = Socket & { [key]?: Connection };

/** What runs on one socket; one listener for all its requests, pipelined ones included. */
export class Connection {
  readonly socket: Socket;
  readonly remoteAddress: string | undefined;
  readonly serving = new Set<Serving>();
  #bytesRead = 0;
  #whenIdle: (() => void) | undefined;

  static of(socket: Socket): Connection {
    const tracked: Tracked = socket;
    tracked[key] ??= new Connection(socket);
    return tracked[key];
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    this.remoteAddress = socket.remoteAddress;
    socket.on('close', () => {
      for (const one of [...this.serving]) one.gone();
      this.serving.clear();
    });
  }

  /** Nothing runs, and no part of a further request has come. */
  get idle(): boolean {
    return this.serving.size === 0 && this.socket.bytesRead === this.#bytesRead;
  }

  done(one: Serving): void {
    this.serving.delete(one);
    if (this.serving.size > 0) return;
    this.#bytesRead = this.socket.bytesRead;
    this.#whenIdle?.();
  }

  onIdle(run: () => void): void {
    this.#whenIdle = run;
    if (this.serving.size === 0) run();
  }
}
