import { Connection } from './connection.ts';

/** Asks again and again over one connection until the time is up. */
export class Caller {
  readonly latencies: number[] = [];
  /** Answers with another status than 200. */
  refused = 0;
  readonly #port: number;
  readonly #request: Buffer;
  #connection: Connection | undefined;
  #begun = 0;
  #until = 0;
  #ended = Promise.withResolvers<void>();

  constructor(port: number, request: Buffer) {
    this.#port = port;
    this.#request = request;
  }

  async open(): Promise<void> {
    this.#connection = await Connection.open(
      this.#port,
      (status) => this.#answered(status),
      (error) => this.#ended.reject(error),
    );
  }

  /** `until`: as `performance.now()` says it. Resolves when the answer to the last request has come. */
  run(until: number): Promise<void> {
    this.#until = until;
    this.#ask();
    return this.#ended.promise;
  }

  close(): void {
    this.#connection?.close();
  }

  #ask(): void {
    this.#begun = performance.now();
    this.#connection?.send(this.#request);
  }

  #answered(status: number): void {
    const now = performance.now();
    this.latencies.push(now - this.#begun);
    if (status !== 200) this.refused += 1;
    if (now < this.#until) this.#ask();
    else this.#ended.resolve();
  }
}
