import { type Exchange, toFailure } from '#sdk';
import { Attempt, type Settings } from './attempt.ts';
import type { Sign } from './auth/aws-signer.ts';
import { authorised } from './authorised.ts';
import type { Dispatcher, Pool } from './pool.ts';
import { Received } from './received.ts';
import { headersOf, methodOf, type Operation, pathOf, sendsBody, type Template } from './request.ts';

const noOperation: Operation = {};

/** Makes one request of an exchange and resolves with the answer. */
export function send(pool: Pool, template: Template, settings: Settings, exchange: Exchange): Promise<Exchange> {
  const { authorize, sign } = settings;
  if (sign) return signed(sign, pool, template, settings, exchange);
  if (!authorize) return request(pool, template, settings, exchange, undefined);
  return authorised(authorize, exchange, (one, token) => request(pool, template, settings, one, token));
}

function request(
  pool: Pool,
  template: Template,
  settings: Settings,
  exchange: Exchange,
  token: string | undefined,
): Promise<Exchange> {
  const operation = (exchange.operation ?? noOperation) as Operation;
  const method = methodOf(operation);
  const path = pathOf(template, operation);
  const { body } = exchange;
  if (body.isEmpty || !sendsBody(method, operation)) {
    const headers = headersOf(template, exchange, operation, undefined);
    if (token !== undefined) headers.push('authorization', `Bearer ${token}`);
    return dispatch(pool, settings, exchange, { method, path, headers, body: null });
  }
  const { codec } = exchange.services;
  const headers = headersOf(template, exchange, operation, body.wireType(codec));
  if (token !== undefined) headers.push('authorization', `Bearer ${token}`);
  const source = body.takeStream();
  if (source) {
    if (source.stream instanceof Received) source.stream.writeOn();
    // So that the far side can refuse what is too long before it arrives.
    if (source.length !== undefined) headers.push('content-length', String(source.length));
    return dispatch(pool, settings, exchange, { method, path, headers, body: source.stream });
  }
  const bytes = body.bytes(codec);
  if (!(bytes instanceof Promise)) return dispatch(pool, settings, exchange, { method, path, headers, body: bytes });
  return bytes.then((all) => dispatch(pool, settings, exchange, { method, path, headers, body: all }));
}

/** As {@link request}, for a service that wants a signature over all of it: nothing streams. */
async function signed(
  sign: Sign,
  pool: Pool,
  template: Template,
  settings: Settings,
  exchange: Exchange,
): Promise<Exchange> {
  const operation = (exchange.operation ?? noOperation) as Operation;
  const method = methodOf(operation);
  const path = pathOf(template, operation);
  const { body } = exchange;
  const hasBody = !body.isEmpty && sendsBody(method, operation);
  const { codec } = exchange.services;
  const headers = headersOf(template, exchange, operation, hasBody ? body.wireType(codec) : undefined);
  const bytes = hasBody ? await exchange.bytes() : '';
  headers.push(...sign({ method, origin: template.origin, path, headers, body: bytes }));
  return dispatch(pool, settings, exchange, { method, path, headers, body: hasBody ? bytes : null });
}

type Request = Dispatcher.DispatchOptions;

function dispatch(pool: Pool, settings: Settings, exchange: Exchange, request: Request): Promise<Exchange> {
  return new Promise<Exchange>((resolve, reject) => {
    const attempt = new Attempt(settings, request.method, { exchange, resolve, reject });
    try {
      pool.dispatch(request, attempt);
    } catch (thrown) {
      attempt.fail(toFailure(thrown));
    }
  });
}
