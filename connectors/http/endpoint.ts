import { type Endpoint, type EndpointContext, type Exchange, type OpenEndpoint, toFailure } from '#sdk';
import { Attempt, type Settings } from './attempt.ts';
import type { EndpointOptions } from './definition.ts';
import { type Dispatcher, openPool, type Pool } from './pool.ts';
import { RelayedBytes } from './relayed-bytes.ts';
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
  const relayed = context.share(RelayedBytes.key, () => new RelayedBytes());
  const settings: Settings = {
    endpoint: context.name,
    maxResponse: options.maxResponse,
    mediaType: options.response?.format && mediaTypes[options.response.format],
    relayed: relayed.value,
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

  const callFirst = async (exchange: Exchange): Promise<Exchange> =>
    call(await exchange.life.race(open()), template, settings, exchange);

  return {
    // Not an async function: one that returns a promise makes its caller wait three turns more.
    handle(exchange) {
      try {
        exchange.life.check();
        return pool ? call(pool, template, settings, exchange) : callFirst(exchange);
      } catch (thrown) {
        return Promise.reject(thrown);
      }
    },
    async close() {
      cancelLoading();
      await relayed.release();
      await opening?.then(
        (opened) => opened.destroy(),
        () => {},
      );
    },
  };
}) satisfies OpenEndpoint;

function call(pool: Pool, template: Template, settings: Settings, exchange: Exchange): Promise<Exchange> {
  const operation = (exchange.operation ?? noOperation) as Operation;
  const method = methodOf(operation);
  const path = pathOf(template, operation);
  const { body } = exchange;
  if (body.isEmpty || !sendsBody(method, operation)) {
    const headers = headersOf(template, exchange, operation, undefined);
    return dispatch(pool, settings, exchange, { method, path, headers, body: null });
  }
  const { codec } = exchange.services;
  const headers = headersOf(template, exchange, operation, body.wireType(codec));
  const source = body.takeStream();
  if (source) {
    // So that the far side can refuse what is too long before it arrives.
    if (source.length !== undefined) headers.push('content-length', String(source.length));
    return dispatch(pool, settings, exchange, { method, path, headers, body: source.stream });
  }
  const bytes = body.bytes(codec);
  if (!(bytes instanceof Promise)) return dispatch(pool, settings, exchange, { method, path, headers, body: bytes });
  return bytes.then((all) => dispatch(pool, settings, exchange, { method, path, headers, body: all }));
}

type Request = Dispatcher.DispatchOptions;

function dispatch(pool: Pool, settings: Settings, exchange: Exchange, request: Request): Promise<Exchange> {
  return new Promise<Exchange>((resolve, reject) => {
    const attempt = new Attempt(settings, exchange, request.method, resolve, reject);
    try {
      pool.dispatch(request, attempt);
    } catch (thrown) {
      attempt.fail(toFailure(thrown));
    }
  });
}
