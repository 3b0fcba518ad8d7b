import { type Addition, appendTo } from './append.ts';

interface Waiting {
  readonly addition: Addition;
  readonly done: () => void;
  readonly failed: (thrown: unknown) => void;
}

// Paths may come from messages: what is remembered of them has a bound.
const most = 1000;

/**
 * Adds to the ends of files, one message after the other, so that lines never mix. Messages that arrive while others
 * are brought to the disk share the next `fsync`. One for all endpoints of the process.
 */
export class Appender {
  readonly #waiting = new Map<string, Waiting[]>();
  /** Whether the file ended with a whole line when we last wrote to it. */
  readonly #atLineStart = new Map<string, boolean>();

  /** Settles when the message is in the file, and on the disk if it asked for that. */
  add(path: string, addition: Addition): Promise<void> {
    return new Promise((resolve, reject) => {
      const one: Waiting = { addition, done: resolve, failed: reject };
      const queue = this.#waiting.get(path);
      if (queue) {
        queue.push(one);
        return;
      }
      this.#waiting.set(path, [one]);
      void this.#run(path);
    });
  }

  async close(): Promise<void> {}

  async #run(path: string): Promise<void> {
    for (;;) {
      const batch = this.#waiting.get(path) ?? [];
      if (batch.length === 0) break;
      this.#waiting.set(path, []);
      await this.#write(path, batch);
    }
    this.#waiting.delete(path);
  }

  async #write(path: string, batch: readonly Waiting[]): Promise<void> {
    for (let rest = batch; rest.length > 0; ) {
      const additions = rest.map((one) => one.addition);
      const { written, error, atLineStart } = await appendTo(path, additions, this.#atLineStart.get(path));
      if (this.#atLineStart.size >= most) this.#atLineStart.clear();
      if (atLineStart === undefined) this.#atLineStart.delete(path);
      else this.#atLineStart.set(path, atLineStart);
      for (const one of rest.slice(0, written)) one.done();
      if (error) rest[written]?.failed(error.thrown);
      // What stands behind may be smaller, or the disk may have room again: it gets a try of its own.
      rest = rest.slice(error ? written + 1 : written);
    }
  }
}
