import { createServer, type Server } from 'node:http';
import { systemClock } from '../../src/core/clock.ts';
import { Silence } from './silence.ts';

/** Where the effects of the messages of a run are seen: an outside count of how often each came. Takes a moment for each. */
export class Sink implements AsyncDisposable {
  readonly seen = new Map<string, number>();
  readonly silence = new Silence(systemClock);
  readonly #server: Server;

  private constructor(ms: number, run: string) {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { id } = JSON.parse(Buffer.concat(chunks).toString()) as { readonly id: string };
        if (id.startsWith(run)) {
          this.seen.set(id, (this.seen.get(id) ?? 0) + 1);
          this.silence.end();
        }
        setTimeout(() => response.writeHead(204).end(), ms);
      });
    });
  }

  /** `run`: how the names of its messages begin. */
  static async open(ms: number, run: string): Promise<Sink> {
    const sink = new Sink(ms, run);
    await new Promise<void>((resolve) => sink.#server.listen(0, '127.0.0.1', resolve));
    return sink;
  }

  get url(): string {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the sink has no port');
    return `http://127.0.0.1:${address.port}`;
  }

  /** How many effects there were beyond the first of each message. */
  get duplicates(): number {
    return [...this.seen.values()].reduce((sum, count) => sum + count - 1, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
