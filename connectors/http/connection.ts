import type { Socket } from 'node:net';
import type { Failure } from '#sdk';

/** A request that is being served. */
export interface Serving {
  /** The client went away. */
  gone(): void;
  /** The whole request has arrived. */
  readonly complete: boolean;
  /** The rest of the request can never be read: answers at once, or cuts the connection where an answer has begun. */
  broken(error: Failure): void;
}

const key = Symbol('connection');

type Tracked = Socket & { [key]?: Connection };

/** What runs on one socket; one listener for all its requests, pipelined ones included. */
export class Connection {
  readonly socket: Socket;
  readonly remoteAddress: string | undefined;
  /** In the order in which they came; nearly always one. */
  readonly serving: Serving[] = [];
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
      for (const one of this.serving.splice(0)) one.gone();
    });
  }

  done(one: Serving): void {
    const at = this.serving.lastIndexOf(one);
    if (at >= 0) this.serving.splice(at, 1);
    if (this.serving.length > 0) return;
    this.#bytesRead = this.socket.bytesRead;
    this.#whenIdle?.();
  }

  /** Calls `run` as soon as nothing is served here. */
  onIdle(run: () => void): void {
    this.#whenIdle = run;
    if (this.serving.length === 0) run();
  }

  /** Closes behind the answers that are under way; at once where nothing is, not even a part of a further request. */
  closeSoon(): void {
    const waits = this.serving.length > 0 || this.socket.bytesRead === this.#bytesRead;
    if (waits) this.onIdle(() => this.socket.destroySoon());
  }

  /** Closes whatever is going on: what was answered is still sent. */
  close(): void {
    if (this.serving.length > 0) this.socket.destroy();
    else this.socket.destroySoon();
  }
}
