import { type Endpoint, type EndpointContext, type Exchange, type Failure, type OpenEndpoint, toFailure } from '#sdk';
import { Attempt, type Settings } from './attempt.ts';
import type { EndpointOptions } from './definition.ts';
import { openPool, type Pool } from './pool.ts';
import { headersOf, methodOf, type Operation, pathOf, sendsBody, type Template, templateOf } from './request.ts';

const mediaTypes = {
  json: 'application/json',
  xml: 'application/xml',
  text: 'text/plain',
  form: 'application/x-www-form-urlencoded',
  bytes: 'application/octet-stream',
} as const;

/** Long after the listening socket is up: loading the client is a third of the time until ready. */
const loadAfterMs = 100;

const noOperation: Operation = {};

/** Calls one HTTP service. */
export const openEndpoint = (async (options: EndpointOptions, context: EndpointContext): Promise<Endpoint> => {
  const template = templateOf(options);
  const settings: Settings = {
    endpoint: context.name,
    maxResponse: options.maxResponse,
    mediaType: options.response?.format && mediaTypes[options.response.format],
  };
  let pool: Pool | undefined;
  let opening: Promise<Pool> | undefined;
  const open = (): Promise<Pool> => {
    opening ??= openPool(template.origin, options).then((opened) => {
      pool = opened;
      return opened;
    });
    return opening;
  };
  // Or with the first call, whichever is sooner.
  const cancelLoading = context.clock.after(loadAfterMs, () => void open().catch(() => {}), true);

  return {
    handle: async (exchange) => {
      const { life } = exchange;
      life.check();
      const ready = pool ?? (await life.race(open()));
      return call(ready, template, settings, exchange);
    },
    async close() {
      cancelLoading();
      await opening?.then((opened) => opened.destroy());
    },
  };
}) satisfies OpenEndpoint;

function call(pool: Pool, template: Template, settings: Settings, exchange: Exchange): Promise<Exchange> {
  const operation = (exchange.operation ?? noOperation) as Operation;
  const method = methodOf(operation);
  const path = pathOf(template, operation);
  const headers = headersOf(template, exchange, operation);
  const outgoing = { method, path, accepts: accepts(operation.expect) };
  if (!sendsBody(method, operation) || exchange.body.isEmpty) {
    return dispatch(pool, settings, exchange, outgoing, headers, null);
  }
  const { codec } = exchange.services;
  const typed = withType(headers, exchange.body.wireType(codec));
  const stream = exchange.body.takeStream();
  if (stream) {
    const sized = stream.length === undefined ? typed : [...typed, 'content-length', String(stream.length)];
    return dispatch(pool, settings, exchange, outgoing, sized, stream.stream);
  }
  const bytes = exchange.body.bytes(codec);
  if (bytes instanceof Promise) {
    return bytes.then((all) => dispatch(pool, settings, exchange, outgoing, typed, all));
  }
  return dispatch(pool, settings, exchange, outgoing, typed, bytes);
}

/** What the file says about the content type wins over what the body says of itself. */
function withType(headers: readonly string[], type: string | undefined): readonly string[] {
  if (type === undefined) return headers;
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === 'content-type') return headers;
  return [...headers, 'content-type', type];
}

type DispatchBody = NonNullable<Parameters<Pool['dispatch']>[0]['body']>;

function dispatch(
  pool: Pool,
  settings: Settings,
  exchange: Exchange,
  outgoing: { readonly method: string; readonly path: string; readonly accepts: (status: number) => boolean },
  headers: readonly string[],
  body: DispatchBody | null,
): Promise<Exchange> {
  return new Promise<Exchange>((resolve, reject: (reason: Failure) => void) => {
    const attempt = new Attempt(settings, exchange, outgoing, resolve, reject);
    try {
      pool.dispatch({ method: outgoing.method, path: outgoing.path, headers: headers as string[], body }, attempt);
    } catch (thrown) {
      reject(toFailure(thrown));
    }
  });
}

const isSuccess = (status: number): boolean => status >= 200 && status < 300;

function accepts(expect: Operation['expect']): (status: number) => boolean {
  if (expect === undefined) return isSuccess;
  return (status) => expect.some((one) => Number(one) === status || one === `${Math.floor(status / 100)}xx`);
}
