import type { IncomingMessage, RequestOptions } from 'node:http';
import { type Clock, type Failure, failure, toFailure } from '#sdk';

// Not undici: what is asked here is small and rare, and needs nothing of it.
const http = process.getBuiltinModule('node:http');

/** A question to a server of keys or tokens. */
export interface Question {
  readonly url: string;
  /** Absent: GET. */
  readonly form?: URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds until the whole answer is there. */
  readonly timeout: number;
  /** Authorities to trust. */
  readonly ca?: string | undefined;
  /** How errors call the server. */
  readonly who: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** The answer as JSON; `undefined` where it is none. */
  readonly json: unknown;
}

/** No key set or token is larger. */
const largest = 1024 ** 2;

/** Asks once, without following redirects: nobody but the file chooses whom we ask. Rejects with what went wrong on the way. */
export function ask({ url, form, headers, timeout, ca, who }: Question, clock: Clock): Promise<Reply> {
  const body = form?.toString();
  const options: RequestOptions & { ca?: string } = {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      accept: 'application/json',
      'user-agent': 'dowel',
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) }),
      ...headers,
    },
    ...(ca === undefined ? {} : { ca }),
  };
  return new Promise((resolve, reject) => {
    const over = (): void => cancel();
    const fail = (error: unknown): void => {
      over();
      reject(onTheWay(error, who));
    };
    const { request } = url.startsWith('https:') ? process.getBuiltinModule('node:https') : http;
    const sent = request(url, options, (response) => {
      read(response).then((json) => {
        over();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, json });
      }, fail);
    });
    const cancel = clock.after(timeout, () => sent.destroy(failure('timeout', { what: who, ms: timeout })), true);
    sent.on('error', fail);
    sent.end(body);
  });
}

async function read(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largest) throw new Error(`its answer is larger than ${largest} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  } catch {
    return undefined;
  }
}

function onTheWay(error: unknown, who: string): Failure {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof Error && error.name !== 'Failure') {
    const detail = message === '' ? String(code) : message;
    return failure('connection', { endpoint: who, detail, sent: false }, { cause: error });
  }
  return toFailure(error);
}

/** The answer as an object; throws what is wrong with it. */
export function objectIn({ status, json }: Reply, who: string): Readonly<Record<string, unknown>> {
  if (status !== 200) throw failure('invalid-response', { endpoint: who, detail: `it answered ${status}` });
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  throw failure('invalid-response', { endpoint: who, detail: 'its answer is no JSON object' });
}
