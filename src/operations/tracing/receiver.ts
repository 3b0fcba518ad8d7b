/** Sends spans to a receiver of OTLP over HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp). */
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import type { Clock } from '../../core/clock.ts';
import { rejectedByJson, rejectedByProtobuf } from './otlp-answer.ts';
import type { ReceiverSettings } from './settings.ts';

export type Delivery =
  /** `rejected`: spans that the receiver did not want, and why in its words. */
  | { readonly taken: true; readonly rejected: number; readonly why: string }
  /** `after`: milliseconds that the receiver asks for. */
  | { readonly taken: false; readonly again: boolean; readonly after?: number | undefined; readonly why: string };

export interface Receiver {
  /** Never rejects. */
  post(body: Uint8Array, contentType: string): Promise<Delivery>;
  /** Gives up what is under way. */
  close(): void;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Where receivers speak gRPC by custom: who copied an address has this one. */
const grpcPort = '4317';
const grpcHint = '4317 is usually the port for gRPC; that for HTTP is 4318';

/** An answer is a few bytes; of a page of HTML that is no receiver's, no more is read. */
const longestAnswer = 64 * 1024;

export function receiver(settings: ReceiverSettings, clock: Clock): Receiver {
  const { url, gzip, tls, timeout } = settings;
  const secure = url.protocol === 'https:';
  const http = process.getBuiltinModule(secure ? 'node:https' : 'node:http');
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1, ...(secure ? tls : {}) });
  // Basic authentication in the address belongs into a header, and not into any message.
  const { username, password } = url;
  const auth = username === '' ? {} : { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` };
  const underWay = new Set<ClientRequest>();

  const request = (body: Uint8Array, headers: Readonly<Record<string, string | number>>): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const options = { method: 'POST', agent, headers, ...auth };
      const sent = http.request(url, options, (response) => {
        read(response).then(resolve, reject);
      });
      const cancel = clock.after(timeout, () => sent.destroy(new Error(`no answer within ${timeout} ms`)), true);
      underWay.add(sent);
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // The receiver has closed a connection that we had kept: it says nothing about how it is.
        const stale = sent.reusedSocket && error.code === 'ECONNRESET';
        if (stale) resolve(request(body, headers));
        else reject(error);
      });
      sent.on('close', () => {
        cancel();
        underWay.delete(sent);
      });
      sent.end(body);
    });

  return {
    async post(plain, contentType) {
      try {
        const body = gzip ? await compressed(plain) : plain;
        const headers: Record<string, string | number> = { 'user-agent': 'dowel', ...settings.headers };
        headers['content-type'] = contentType;
        headers['content-length'] = body.length;
        if (gzip) headers['content-encoding'] = 'gzip';
        return deliveryOf(await request(body, headers), contentType, clock.now());
      } catch (thrown) {
        const why = wordsOf(thrown);
        return { taken: false, again: true, why: url.port === grpcPort ? `${why} (${grpcHint})` : why };
      }
    },
    close() {
      for (const sent of underWay) sent.destroy(new Error('given up'));
      agent.destroy();
    },
  };
}

async function compressed(body: Uint8Array): Promise<Uint8Array> {
  return promisify(process.getBuiltinModule('node:zlib').gzip)(body);
}

function read(response: IncomingMessage): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const done = (): void => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
    };
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= longestAnswer) chunks.push(chunk);
      else response.destroy();
    });
    response.on('end', done);
    response.on('error', reject);
    response.on('close', done);
  });
}

/** Those after which the same request may go better (§ "Retryable Response Codes"). */
const again: ReadonlySet<number> = new Set([429, 502, 503, 504]);

function deliveryOf({ status, headers, body }: Answer, contentType: string, now: number): Delivery {
  if (status >= 200 && status < 300) {
    const rejected = contentType.endsWith('json') ? rejectedByJson(body) : rejectedByProtobuf(body);
    return { taken: true, ...rejected };
  }
  const after = retryAfter(headers['retry-after'], now);
  return { taken: false, again: again.has(status), after, why: `it answered ${status}` };
}

function retryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function wordsOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'it cannot be reached';
  // Of several addresses that were tried in vain there is a code alone.
  const { message, code } = thrown as NodeJS.ErrnoException;
  return message || code || 'it cannot be reached';
}
