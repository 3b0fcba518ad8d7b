import { connect, type Socket } from 'node:net';
import type { Ask } from '../scenarios.ts';

/** The request as bytes, made once: the load must cost as little as it can beside what is measured. */
export function bytesOf({ method, path, headers, body }: Ask, host: string): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = method === 'GET' ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`;
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${lines.join('')}${length}\r\n${body}`);
}

const endOfChunks = Buffer.from('0\r\n\r\n');
const beforeChunk = Buffer.from('\r\n');

/**
 * One connection that is kept alive and has one request under way. Understands of HTTP what answers to it need: a
 * length, or chunks whose end it recognises by the bytes (no body of a scenario has line ends in it).
 */
export class Connection {
  readonly #socket: Socket;
  readonly #done: (status: number) => void;
  readonly #failed: (error: Error) => void;
  #head: Buffer | undefined;
  #status = 0;
  /** Bytes of the body that are missing; `undefined` while the head is. */
  #missing: number | undefined;
  #tail: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket, done: (status: number) => void, failed: (error: Error) => void) {
    this.#socket = socket;
    this.#done = done;
    this.#failed = failed;
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', failed);
    socket.on('end', () => failed(new Error('the server closed a connection that was to be kept')));
  }

  static open(port: number, done: (status: number) => void, failed: (error: Error) => void): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new Connection(socket, done, failed));
      });
    });
  }

  send(request: Buffer): void {
    this.#missing = undefined;
    this.#socket.write(request);
  }

  close(): void {
    this.#socket.removeAllListeners();
    this.#socket.on('error', () => {});
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    if (this.#missing !== undefined) {
      this.#body(chunk);
      return;
    }
    const bytes = this.#head ? Buffer.concat([this.#head, chunk]) : chunk;
    const end = bytes.indexOf('\r\n\r\n');
    this.#head = end < 0 ? bytes : undefined;
    if (end < 0) return;
    const head = bytes.toString('latin1', 0, end);
    this.#status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    const chunked = length === undefined && /\r\ntransfer-encoding: *chunked/i.test(head);
    this.#missing = chunked ? Number.POSITIVE_INFINITY : Number(length ?? 0);
    this.#tail = Buffer.alloc(0);
    this.#body(bytes.subarray(end + 4));
  }

  #body(piece: Buffer): void {
    const missing = this.#missing ?? 0;
    if (missing === Number.POSITIVE_INFINITY) {
      if (this.#endsChunks(piece)) this.#done(this.#status);
      return;
    }
    this.#missing = missing - piece.length;
    if (this.#missing === 0) this.#done(this.#status);
    else if (this.#missing < 0) this.#failed(new Error('the server sent more than it had announced'));
  }

  #endsChunks(piece: Buffer): boolean {
    this.#tail = piece.length >= 7 ? piece.subarray(-7) : Buffer.concat([this.#tail, piece]).subarray(-7);
    const { length } = this.#tail;
    if (length < 5 || !this.#tail.subarray(-5).equals(endOfChunks)) return false;
    return length === 5 || this.#tail.subarray(0, 2).equals(beforeChunk);
  }
}
