import type { Endpoint, EndpointContext, Exchange, Handler, OpenEndpoint, RehearsedEndpoint } from '#sdk';
import type { Settings } from './attempt.ts';
import { BodyBytes } from './body-bytes.ts';
import type { EndpointOptions } from './definition.ts';
import { openPool, type Pool } from './pool.ts';
import { type Operation, templateOf, unusable } from './request.ts';
import type { Resolver } from './resolver.ts';
import { send } from './send.ts';

const mediaTypes = {
  json: 'application/json',
  xml: 'application/xml',
  text: 'text/plain',
  form: 'application/x-www-form-urlencoded',
  bytes: 'application/octet-stream',
} as const;

/** Long after the listening socket is up: loading the client is a third of the time until ready. */
const loadAfterMs = 100;

/** Calls one HTTP service. */
export const openEndpoint = (async (
  options: EndpointOptions,
  context: EndpointContext,
  resolver?: Resolver,
): Promise<Endpoint> => {
  const bodyBytes = context.share(BodyBytes.key, () => new BodyBytes());
  const { oauth2, tokenExchange, forward, aws } = options.auth ?? {};
  const authorize =
    oauth2 || tokenExchange || forward
      ? (await import('./auth/authorize.ts')).authorizeOf(options, context)
      : undefined;
  const settings: Settings = {
    endpoint: context.name,
    maxResponse: options.maxResponse,
    mediaType: options.response?.format && mediaTypes[options.response.format],
    bodyBytes: bodyBytes.value,
    authorize,
    sign: aws && (await import('./auth/aws-signer.ts')).awsSigner(aws, context.clock),
  };
  const far =
    options.url !== undefined && !options.dns
      ? openSingle(options, new URL(options.url), settings)
      : (await import('./balanced.ts')).openBalanced(options, settings, context, resolver);
  const calling = options.contract && (await import('./contract/calling.ts')).callContract(options, context);
  // Or with the first call, whichever is sooner.
  const cancelLoading = context.clock.after(loadAfterMs, far.load, true);

  return {
    handle: calling ? keepingTo(calling, far.handle) : far.handle,
    prepare: calling && ((exchange) => calling.prepared(exchange)),
    async close() {
      cancelLoading();
      await bodyBytes.release();
      await far.close();
    },
  };
}) satisfies OpenEndpoint;

/** Answers to calls that name an operation are looked at. */
function keepingTo(calling: RehearsedEndpoint, far: Handler): Handler {
  return async (exchange) => {
    const answer = await far(exchange);
    return answer && calling.answered(exchange, answer);
  };
}

/** What loads its client when it is needed. */
export interface LoadedLater extends Endpoint {
  readonly load: () => void;
}

function openSingle(options: EndpointOptions, url: URL, settings: Settings): LoadedLater {
  const template = templateOf(options, url);
  let pool: Pool | undefined;
  let opening: Promise<Pool> | undefined;
  const open = (): Promise<Pool> => {
    opening ??= openPool(template.origin, options).then((opened) => {
      pool = opened;
      return opened;
    });
    return opening;
  };

  const sendFirst = async (exchange: Exchange): Promise<Exchange> =>
    send(await exchange.life.race(open()), template, settings, exchange);

  return {
    // Not an async function: one that returns a promise makes its caller wait three turns more.
    handle(exchange) {
      try {
        exchange.life.check();
        if ((exchange.operation as Operation | undefined)?.target !== undefined) {
          throw unusable('it gives a `target`, and its endpoint has no `urls` to choose from');
        }
        return pool ? send(pool, template, settings, exchange) : sendFirst(exchange);
      } catch (thrown) {
        return Promise.reject(thrown);
      }
    },
    load: () => void open().catch(() => {}),
    async close() {
      await opening?.then(
        (opened) => opened.destroy(),
        () => {},
      );
    },
  };
}
