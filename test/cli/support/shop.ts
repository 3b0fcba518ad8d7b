import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import type { Finished } from '../../support/child-process.ts';
import { type DowelProcess, runDowel, startDowel } from '../../support/dowel-process.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { service } from '../../support/http-service.ts';
import { Project } from './project.ts';

export const token = 'sesame-of-the-admin';
export const secret = 'canary-of-the-backend';

/** Takes orders, answers 202, and hands them to a backend. */
export const yaml = (more = '', path = '/orders/${{ $params.id }}'): string => `dowel: 1
name: shop
version: 1.0.0
config:
  ADMIN_PORT: { type: integer }
  ADMIN_TOKEN: { secret: true, required: false }
  BACKEND: { type: uri }
  BACKEND_KEY: { secret: true }
server: { port: 0, host: 127.0.0.1 }
admin: { port: "\${ADMIN_PORT}", token: "\${ADMIN_TOKEN}" }
endpoints:
  backend: { http: { url: "\${BACKEND}", auth: { bearer: { token: "\${BACKEND_KEY}" } } } }
flows:
  take:
    from: { http: { method: POST, path: "/orders/{id}", reply: accepted } }
    redelivery: { maxAttempts: 2, delay: 10ms }
    concurrency: 10
    steps:
      - call: { endpoint: backend, http: { method: PUT, path: "${path}" } }
${more}`;

/** An integration in a folder of its own, with a backend that works or does not. */
export class Shop {
  readonly project: Project;
  readonly #env: Record<string, string>;
  /** What the backend was sent: method, path, body. */
  readonly received: string[] = [];
  /** How it answers; 200 when there is nothing. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;

  private constructor(project: Project, env: Record<string, string>) {
    this.project = project;
    this.#env = env;
  }

  static async open(t: TestContext, text = yaml()): Promise<Shop> {
    const project = new Project(t, { 'integration.yaml': text });
    const env = { ADMIN_PORT: String(await freePort()), ADMIN_TOKEN: token, BACKEND_KEY: secret };
    const shop = new Shop(project, env);
    env satisfies Record<string, string>;
    shop.#env['BACKEND'] = await service(t, (request, response) => shop.#serve(request, response));
    return shop;
  }

  get file(): string {
    return this.project.path();
  }

  get adminPort(): number {
    return Number(this.#env['ADMIN_PORT']);
  }

  environment(change: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
    return { ...this.#env, ...change };
  }

  /** From now on the backend fails with this status. */
  fail(status = 503, body = '{"error":"down"}'): void {
    this.answer = (_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body);
    };
  }

  mend(): void {
    this.answer = undefined;
  }

  start(change: Readonly<Record<string, string>> = {}): Promise<DowelProcess> {
    return startDowel(this.file, { env: this.environment(change) });
  }

  /** `dowel dead-letters …`, with the file behind the name of the command. */
  async letters(command: string, ...args: readonly string[]): Promise<Finished> {
    return this.lettersWith({}, command, ...args);
  }

  async lettersWith(
    change: Readonly<Record<string, string>>,
    command: string,
    ...args: readonly string[]
  ): Promise<Finished> {
    return runDowel(['dead-letters', command, this.file, ...args], { env: this.environment(change) });
  }

  async listed(...args: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { stdout, stderr, code } = await this.letters('list', '--format', 'json', ...args);
    if (code !== 0) throw new Error(stderr);
    return (JSON.parse(stdout) as { readonly letters: readonly Readonly<Record<string, unknown>>[] }).letters;
  }

  /** Sends orders to a running shop whose backend fails, until all of them are dead letters, in any order. */
  async bury(
    running: DowelProcess,
    orders: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>,
    type = 'application/json',
  ): Promise<void> {
    const before = await buried(running);
    for (const [id, body] of Object.entries(orders)) {
      const answer = await fetch(`${running.url}/orders/${id}`, {
        method: 'POST',
        headers: { 'content-type': type },
        body,
      });
      if (answer.status !== 202) throw new Error(`${answer.status} ${await answer.text()}`);
    }
    const wanted = before + Object.keys(orders).length;
    await eventually('all are dead letters', async () => (await buried(running)) >= wanted);
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    let body = '';
    request.setEncoding('latin1').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      this.received.push(`${request.method} ${request.url} ${body}`);
      if (this.answer) this.answer(request, response);
      else response.end();
    });
  }
}

/** How many dead letters it has, asked without a process for each look. */
export async function buried(running: DowelProcess): Promise<number> {
  const url = `http://127.0.0.1:${running.adminPort}/dead-letters?limit=1000`;
  const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(running.describe(`${answer.status} ${text}`));
  return (JSON.parse(text) as { readonly letters: readonly unknown[] }).letters.length;
}
