import type { Exchange } from '../core/exchange.ts';
import type { Failure } from '../errors.ts';
import type { Scope } from '../expression/expression.ts';

/** Variables that every message has. */
export const everywhere: readonly string[] = ['headers', 'source', 'exchange', 'config', 'response'];

/** All variables of the language itself: no result may take their names. */
export const reserved: readonly string[] = [...everywhere, 'params', 'query', 'identity', 'event', 'error', 'failed'];

/** What an expression sees of a message. */
export class ExchangeScope implements Scope {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  body(): unknown | Promise<unknown> {
    return this.#exchange.value();
  }

  variable(name: string): unknown {
    const exchange = this.#exchange;
    switch (name) {
      case 'headers':
        return exchange.headers;
      case 'params':
        return exchange.origin.params;
      case 'query':
        return exchange.origin.query;
      case 'source':
        return exchange.origin.source;
      case 'identity':
        return exchange.origin.identity;
      case 'event':
        return exchange.origin.event;
      case 'config':
        return exchange.services.config;
      case 'response':
        return exchange.response;
      case 'exchange':
        return {
          id: exchange.id,
          flow: exchange.flow,
          traceId: exchange.trace.id,
          requestId: exchange.origin.requestId ?? exchange.id,
          attempt: exchange.origin.attempt,
          receivedAt: new Date(exchange.origin.receivedAt).toISOString(),
          ...(exchange.origin.replayed ? { replayed: true } : {}),
        };
      case 'error':
        return exchange.error && errorValue(exchange.error);
      default:
        return Object.hasOwn(exchange.variables, name) ? exchange.variables[name] : undefined;
    }
  }

  now(): number {
    return this.#exchange.services.clock.now();
  }

  random(): number {
    return this.#exchange.services.random.next();
  }

  uuid(): string {
    const { life, position, services } = this.#exchange;
    return life.journal?.uuid(position) ?? services.random.uuid();
  }
}

/** `$error` */
const errorValue = (error: Failure): Readonly<Record<string, unknown>> => ({
  code: error.code,
  kind: error.kind,
  status: error.status,
  message: error.message,
  place: error.place,
  facts: error.facts,
});
