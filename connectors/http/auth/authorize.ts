import { createHash } from 'node:crypto';
import { BoundedCache, type EndpointContext, type Exchange, failure, tokenOf } from '#sdk';
import type { EndpointOptions } from '../definition.ts';
import { TokenKeeper } from './token-keeper.ts';
import { tokenRequest } from './token-request.ts';

/** Credentials that each call of an endpoint has anew. */
export interface Authorize {
  /** A promise only where the token has to be waited for: no longer than the message lives. */
  token(exchange: Exchange): string | Promise<string>;
  /** The service did not take this one; whether there may be another. */
  refused(exchange: Exchange, token: string): boolean;
}

const mostExchanged = 10_000;
const mostBytes = 64 * 1024 ** 2;
const bytesOfOne = 4_096;

/** `undefined`: the credentials stand in the file, or there are none. */
export function authorizeOf({ auth }: EndpointOptions, context: EndpointContext): Authorize | undefined {
  if (auth?.oauth2) return ownToken(auth.oauth2, context);
  if (auth?.tokenExchange) return exchangedToken(auth.tokenExchange, context);
  if (auth?.forward) return forwarded(context.name);
  return undefined;
}

const waited = (exchange: Exchange, token: string | Promise<string>): string | Promise<string> =>
  typeof token === 'string' ? token : exchange.life.race(token);

function ownToken(
  options: NonNullable<NonNullable<EndpointOptions['auth']>['oauth2']>,
  context: EndpointContext,
): Authorize {
  const { clock, random, name } = context;
  const request = tokenRequest(options, name, clock);
  const keeper = new TokenKeeper(() => request({ grant_type: 'client_credentials' }), clock, random);
  return {
    token: (exchange) => waited(exchange, keeper.token()),
    refused(_, token) {
      keeper.spoilt(token);
      return true;
    },
  };
}

function exchangedToken(
  options: NonNullable<NonNullable<EndpointOptions['auth']>['tokenExchange']>,
  context: EndpointContext,
): Authorize {
  const { clock, random, name } = context;
  const request = tokenRequest(options, name, clock);
  const keepers = new BoundedCache<TokenKeeper>(mostExchanged, mostBytes);
  const keeperFor = (subject: string): TokenKeeper => {
    const digest = createHash('sha256').update(subject).digest('base64');
    const known = keepers.get(digest);
    if (known) return known;
    const grant = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: subject,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      ...(options.resource === undefined ? {} : { resource: options.resource }),
    };
    const keeper = new TokenKeeper(() => request(grant), clock, random);
    keepers.set(digest, keeper, bytesOfOne);
    return keeper;
  };
  return {
    token: (exchange) => waited(exchange, keeperFor(callersToken(exchange, name)).token()),
    refused(exchange, token) {
      keeperFor(callersToken(exchange, name)).spoilt(token);
      return true;
    },
  };
}

const forwarded = (endpoint: string): Authorize => ({
  token: (exchange) => callersToken(exchange, endpoint),
  refused: () => false,
});

function callersToken({ origin }: Exchange, endpoint: string): string {
  const token = tokenOf(origin.identity);
  if (token === undefined) throw failure('no-token', { endpoint, sent: false });
  return token;
}
