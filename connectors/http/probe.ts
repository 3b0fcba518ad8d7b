import { type Clock, type Failure, failure, httpFailure } from '#sdk';
import { fromNetwork } from './network-error.ts';
import type { Dispatcher, Pool } from './pool.ts';

type Controller = Dispatcher.DispatchController;

export interface Question {
  readonly endpoint: string;
  readonly path: string;
  /** Raw pairs. */
  readonly headers: readonly string[];
  readonly timeout: number;
}

/** Asks a target how it is; resolves with what is wrong, or with nothing. */
export function probe(pool: Pool, question: Question, clock: Clock): Promise<Failure | undefined> {
  return new Promise((resolve) => {
    const asked = new Probe(question, clock, resolve);
    try {
      pool.dispatch({ method: 'GET', path: question.path, headers: [...question.headers] }, asked);
    } catch (thrown) {
      asked.onResponseError(null, thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  });
}

/** The answer to one probe: its status is all that matters. */
class Probe implements Dispatcher.DispatchHandler {
  readonly #endpoint: string;
  readonly #resolve: (problem: Failure | undefined) => void;
  readonly #cancel: () => void;
  #controller: Controller | undefined;
  #late: Failure | undefined;
  #status = 0;

  constructor({ endpoint, timeout }: Question, clock: Clock, resolve: (problem: Failure | undefined) => void) {
    this.#endpoint = endpoint;
    this.#resolve = resolve;
    this.#cancel = clock.after(
      timeout,
      () => {
        this.#late = failure('timeout', { endpoint, ms: timeout });
        if (this.#controller) this.#controller.abort(this.#late);
        resolve(this.#late);
      },
      true,
    );
  }

  onRequestStart(controller: Controller): void {
    if (this.#late) throw this.#late;
    this.#controller = controller;
  }

  onResponseStart(_controller: Controller, status: number): void {
    this.#status = status;
  }

  // Without it undici takes the handler for one of its older kind.
  onResponseData(): void {}

  onResponseEnd(): void {
    const well = this.#status >= 200 && this.#status < 300;
    this.#end(well ? undefined : httpFailure(this.#status, { endpoint: this.#endpoint, method: 'GET' }));
  }

  onResponseError(_controller: Controller | null, error: Error): void {
    this.#end(fromNetwork(error, this.#endpoint, this.#controller !== undefined));
  }

  #end(problem: Failure | undefined): void {
    this.#cancel();
    this.#resolve(problem);
  }
}
