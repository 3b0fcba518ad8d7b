import { type Exchange, Failure } from '#sdk';
import type { Authorize } from './auth/authorize.ts';

type Send = (exchange: Exchange, token: string) => Promise<Exchange>;

/** Sends with a token; once more with another one where the service does not take the first: it has done nothing then. */
export function authorised(authorize: Authorize, exchange: Exchange, send: Send): Promise<Exchange> {
  try {
    const token = authorize.token(exchange);
    if (typeof token === 'string') return sent(authorize, exchange, token, send);
    return token.then((fetched) => sent(authorize, exchange, fetched, send));
  } catch (thrown) {
    return Promise.reject(thrown);
  }
}

async function sent(authorize: Authorize, exchange: Exchange, token: string, send: Send): Promise<Exchange> {
  // What streams is gone by then.
  const repeatable = !exchange.body.isStream;
  try {
    return await send(exchange, token);
  } catch (thrown) {
    const isRefused = thrown instanceof Failure && thrown.code === 'http-401';
    if (!isRefused || !authorize.refused(exchange, token) || !repeatable) throw thrown;
    const other = await authorize.token(exchange);
    if (other === token) throw thrown;
    return send(exchange, other);
  }
}
