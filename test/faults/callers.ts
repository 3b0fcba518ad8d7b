import http from 'node:http';

/** What a caller met. */
export interface Answered {
  readonly status: number;
  readonly text: string;
}

export interface CallersPlan {
  /** Where to send the next request: whoever routes decides anew for each. */
  readonly url: () => string;
  /** What the answer has to be, decided when the request is sent; throws when it is something else. */
  readonly expect: () => (id: string, answer: Answered) => void;
}

const lanes = 20;
/** Half of the callers pause between requests, so that connections are idle for a while. Milliseconds. */
const longestThought = 300;

/**
 * Clients as they are everywhere: they keep connections, give up those that are told to be closed, and send nothing
 * twice. Each request has an id of its own.
 */
export class Callers implements AsyncDisposable {
  readonly failures: string[] = [];
  readonly #plan: CallersPlan;
  readonly #agent = new http.Agent({ keepAlive: true });
  readonly #running: Promise<unknown>;
  #requests = 0;
  #ended = false;

  constructor(plan: CallersPlan) {
    this.#plan = plan;
    this.#running = Promise.all(Array.from({ length: lanes }, (_, lane) => this.#call(lane)));
  }

  get requests(): number {
    return this.#requests;
  }

  /** Resolves when the last answer is there. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#running;
    this.#agent.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  async #call(lane: number): Promise<void> {
    while (!this.#ended) {
      const id = `r${this.#requests++}`;
      const check = this.#plan.expect();
      const body = JSON.stringify({ id });
      const url = `${this.#plan.url()}/do`;
      try {
        check(id, await (lane % 2 === 0 ? byFetch(url, body) : byAgent(url, body, this.#agent)));
      } catch (error) {
        const { cause = error } = error as { readonly cause?: unknown };
        this.failures.push(`${id} to ${url} by ${lane % 2 === 0 ? 'fetch' : 'an agent'}: ${cause}`);
      }
      if (lane < lanes / 2) await new Promise((resolve) => setTimeout(resolve, Math.random() * longestThought));
    }
  }
}

const headers = { 'content-type': 'application/json' } as const;

async function byFetch(url: string, body: string): Promise<Answered> {
  const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(30_000) });
  return { status: response.status, text: await response.text() };
}

function byAgent(url: string, body: string, agent: http.Agent): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: 'POST', headers, agent, timeout: 30_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
    request.end(body);
  });
}
