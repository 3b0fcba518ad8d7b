import { customFailure, Failure, failure, toFailure } from '../../errors.ts';
import type { DeadLetterDesk, Replay, SummaryPage, Which } from '../../flow/dead-letters/desk.ts';
import type { Query } from '../../flow/dead-letters/query.ts';
import type { LetterDetail } from '../../flow/dead-letters/views.ts';

export interface AdminAddress {
  readonly host: string;
  readonly port: number;
  readonly token: string | undefined;
}

interface Asked {
  readonly status: number;
  readonly integration: string | undefined;
  readonly body: Buffer;
}

interface Question {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds; a replay takes as long as its flow. */
  readonly timeout?: number;
}

/** How long a server that listens may take to say who it is. Milliseconds. */
const firstMs = 3_000;
const answerMs = 60_000;

/** The desk of the running integration; else why it is not there. Rejects when it is, and cannot be asked now. */
export async function findAdmin(
  address: AdminAddress,
  integration: string,
): Promise<{ readonly desk: DeadLetterDesk } | { readonly missing: string }> {
  const where = `${address.host}:${address.port}`;
  const question: Question = { method: 'GET', path: '/dead-letters', query: { limit: '1' }, timeout: firstMs };
  const first = await ask(address, question).catch(toFailure);
  if (first instanceof Failure) return { missing: `no admin server answers at ${where} (${first.message})` };
  if (first.integration === undefined) {
    const problem = problemIn(first);
    if (problem.code === 'starting' || problem.code === 'stopping') throw problem;
    return { missing: `what answers at ${where} is no admin server of Dowel` };
  }
  if (first.integration !== integration) {
    return { missing: `at ${where} answers another integration, ${first.integration}` };
  }
  return { desk: new RemoteDesk(address) };
}

class RemoteDesk implements DeadLetterDesk {
  readonly #address: AdminAddress;

  constructor(address: AdminAddress) {
    this.#address = address;
  }

  list({ since, until, limit, ...rest }: Query): Promise<SummaryPage> {
    const query = { ...rest, since: time(since), until: time(until), limit: String(limit) };
    return this.#json({ method: 'GET', path: '/dead-letters', query });
  }

  show(id: string): Promise<LetterDetail> {
    return this.#json({ method: 'GET', path: pathOf(id) });
  }

  async body(id: string): Promise<Uint8Array> {
    return (await this.#ask({ method: 'GET', path: `${pathOf(id)}/body` })).body;
  }

  replay(id: string, which: Which): Promise<Replay> {
    return this.#json({ method: 'POST', path: `${pathOf(id)}/replay`, query: { with: which }, timeout: 0 });
  }

  async discard(id: string, why: string): Promise<void> {
    await this.#ask({ method: 'DELETE', path: pathOf(id), query: { why } });
  }

  async #json<T>(question: Question): Promise<T> {
    const { body } = await this.#ask(question);
    return JSON.parse(body.toString()) as T;
  }

  async #ask(question: Question): Promise<Asked> {
    const asked = await ask(this.#address, question);
    if (asked.status >= 400) throw problemIn(asked);
    return asked;
  }
}

const pathOf = (id: string): string => `/dead-letters/${encodeURIComponent(id)}`;
const time = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString();

/** What the admin server says is wrong. */
function problemIn({ status, body }: Asked): Failure {
  const { code, detail } = said(body);
  const text = detail ?? `The admin server answered ${status}`;
  const more =
    code === 'no-admin-token'
      ? '. Or stop the integration and run this command again: then it works on its store'
      : code === 'unauthorized'
        ? '. It is taken from `admin.token` of the file: is it what the integration was started with?'
        : '';
  return customFailure(code ?? `http-${status}`, 'permanent', status, `${text}${more}`);
}

function said(body: Buffer): { readonly code?: string; readonly detail?: string } {
  try {
    return (JSON.parse(body.toString()) ?? {}) as { readonly code?: string; readonly detail?: string };
  } catch {
    return {};
  }
}

/** Rejects with `connection` or `timeout`. */
function ask(
  { host, port, token }: AdminAddress,
  { method, path, query = {}, timeout = answerMs }: Question,
): Promise<Asked> {
  const { request } = process.getBuiltinModule('node:http');
  const given = Object.entries(query).filter((one): one is [string, string] => one[1] !== undefined);
  const search = new URLSearchParams(given).toString();
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const endpoint = `The admin server at ${host}:${port}`;
  return new Promise((resolve, reject) => {
    const full = search === '' ? path : `${path}?${search}`;
    const asking = request({ host, port, method, path: full, headers, timeout, agent: false }, (response) => {
      const chunks: Uint8Array[] = [];
      response.on('data', (chunk: Uint8Array) => chunks.push(chunk));
      response.on('end', () => {
        const name = response.headers['dowel-integration'];
        const integration = typeof name === 'string' ? name : undefined;
        resolve({ status: response.statusCode ?? 0, integration, body: Buffer.concat(chunks) });
      });
      response.on('error', (error) => reject(failure('connection', { endpoint, detail: error.message })));
    });
    asking.on('timeout', () => asking.destroy(failure('timeout', { endpoint, ms: timeout })));
    asking.on('error', (error: NodeJS.ErrnoException) => {
      const lost = failure('connection', { endpoint, detail: error.code ?? error.message });
      reject(error.name === 'Failure' ? error : lost);
    });
    asking.end();
  });
}
