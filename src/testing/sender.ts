/** Sources whose far side is the test: they hand over what it sends, and tell it what the sender gets. */
import { Body } from '../core/body.ts';
import { sleep } from '../core/clock.ts';
import { noHeaders } from '../core/exchange.ts';
import type { Identity } from '../core/identity.ts';
import { toFailure } from '../errors.ts';
import type { Answered, ConnectorDefinition, Incoming, RehearsedSource, SourceContext } from '../sdk.ts';

/** A source that only hands over what comes. */
export function plainSource(definition: ConnectorDefinition, context: SourceContext): RehearsedSource {
  const send = async (message: Incoming): Promise<Answered> => {
    try {
      const exchange = await context.deliver(message);
      const headers = exchange?.reply?.headers ?? exchange?.ownHeaders ?? noHeaders;
      return { status: exchange?.reply?.status, headers, body: exchange?.body ?? Body.empty };
    } catch (thrown) {
      const error = toFailure(thrown);
      if (error.code !== 'postponed' || !definition.postpones) return { headers: noHeaders, body: Body.empty, error };
      // The far side keeps it for so long, and gives it again.
      await sleep(context.clock, Number(error.facts['ms']));
      return send({ ...message, origin: { ...message.origin, attempt: Number(error.facts['attempt']) } });
    }
  };
  return { send, stop: async () => {}, close: async () => {} };
}

/** A message as its source would hand it over. */
export function incoming(
  plan: {
    readonly body: { readonly bytes: Uint8Array | string } | { readonly value: unknown } | undefined;
    readonly contentType: string | undefined;
    readonly headers: Incoming['headers'];
    readonly params: Readonly<Record<string, string>>;
    readonly query: Readonly<Record<string, string | readonly string[]>>;
    readonly source: Readonly<Record<string, unknown>>;
    readonly identity: Identity | undefined;
    readonly attempt: number;
  },
  context: Pick<SourceContext, 'clock' | 'services'>,
): Incoming {
  const { codec } = context.services;
  const { body, contentType, params, query, source, identity, attempt } = plan;
  const written = body && ('bytes' in body ? body : codec.write(body.value, contentType));
  const type = contentType ?? (body && 'value' in body ? codec.defaultType : undefined);
  const deadline = plan.headers['x-request-deadline-ms'];
  return {
    body: written ? Body.bytes(written.bytes, type) : Body.empty,
    headers: type === undefined ? plan.headers : { 'content-type': type, ...plan.headers },
    origin: { params, query, source, ...(identity && { identity }), receivedAt: context.clock.now(), attempt },
    ...(typeof deadline === 'string' && /^\d+$/.test(deadline) ? { deadline: Number(deadline) } : {}),
  };
}
