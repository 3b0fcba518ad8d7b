/** What is recorded of messages and calls: loaded only where traces are. */
import type { Exchange } from '../../core/exchange.ts';
import type { Attributes, Span, Tracer } from '../../core/span.ts';
import type { Trace } from '../../core/trace.ts';
import type { EndpointSource, FlowSource, IntegrationSource, ServerSource } from '../../core/written.ts';
import { toFailure } from '../../errors.ts';
import type { Policy } from '../../resilience/policy.ts';
import type { Connector, ConnectorDefinition, EndpointTelemetry, SourceTelemetry, Telemetry } from '../../sdk.ts';
import { saysSo } from '../says-so.ts';
import { errorAttributes, errorOf, outcomeOf } from './ending.ts';
import type { MessageSpans } from './message-watch.ts';
import { messagingEndpoint, messagingSource } from './messaging.ts';

/** The spans of one version of an integration. */
export interface Spans {
  /** Of the messages of a flow; `source`: of one that comes from outside. */
  messages(flow: string, source: FlowSource['from']): MessageSpans;
  /** Around one attempt of a call. */
  attempts(endpoint: EndpointSource): Policy;
}

export async function openSpans(
  tracer: Tracer,
  { endpoints, flows, server }: IntegrationSource,
  connector: (name: string) => Connector,
): Promise<Spans> {
  const all = [
    ...Object.values(endpoints).map((one) => one.connector),
    ...Object.values(flows).map(({ from }) => from),
  ];
  const known = new Map<string, Telemetry>();
  for (const name of new Set(all.flatMap((one) => (one ? [one.name] : [])))) {
    const loaded = await connector(name).telemetry?.();
    if (loaded) known.set(name, loaded.telemetry);
  }
  return {
    messages(flow, from) {
      if (!from) return messageSpans(tracer, flow, plain(flow, 'internal'), undefined);
      const { definition } = connector(from.name);
      const telemetry = sourceTelemetry(known.get(from.name), definition, from.options, flow, server);
      return messageSpans(tracer, flow, telemetry, from.name);
    },
    attempts({ name, connector: { name: connectorName, options } }) {
      const telemetry = endpointTelemetry(known.get(connectorName), options, name);
      return attemptSpans(telemetry, { 'dowel.endpoint': name, 'dowel.connector': connectorName });
    },
  };
}

function sourceTelemetry(
  telemetry: Telemetry | undefined,
  { awaitsReply, settles, queues }: ConnectorDefinition,
  options: unknown,
  flow: string,
  server: ServerSource,
): SourceTelemetry {
  const answers = saysSo(awaitsReply, options);
  if (telemetry?.messaging) return messagingSource(telemetry.messaging, options, flow, answers);
  if (telemetry?.source) return telemetry.source(options as never, server);
  const keeps = saysSo(settles, options) || queues?.(options) === true;
  return plain(flow, answers ? 'server' : keeps ? 'consumer' : 'internal');
}

const plain = (flow: string, kind: SourceTelemetry['kind']): SourceTelemetry => ({
  kind,
  began: () => ({ name: flow, attributes: {} }),
});

function endpointTelemetry(telemetry: Telemetry | undefined, options: unknown, endpoint: string): EndpointTelemetry {
  if (telemetry?.messaging?.went) return messagingEndpoint(telemetry.messaging, options, endpoint);
  return (
    telemetry?.endpoint?.(options as never) ?? { began: () => ({ kind: 'client', name: endpoint, attributes: {} }) }
  );
}

function messageSpans(
  tracer: Tracer,
  flow: string,
  telemetry: SourceTelemetry,
  connector: string | undefined,
): MessageSpans {
  return {
    begin(id, incoming, trace) {
      if (!tracer.records(trace)) return undefined;
      const { name, attributes } = told(() => telemetry.began(incoming)) ?? { name: flow, attributes: {} };
      const { attempt } = incoming.origin;
      const own = { 'dowel.flow': flow, 'dowel.exchange.id': id, 'dowel.connector': connector };
      const again = attempt > 1 ? { 'dowel.attempt': attempt } : {};
      const span = tracer.begin(trace, name, telemetry.kind, { ...written(attributes), ...own, ...again });
      if (incoming.links) span.link(incoming.links);
      return span;
    },
    end(span, exchange, error, status) {
      span.set({ ...told(() => telemetry.ended?.(status, error)), 'dowel.outcome': outcomeOf(exchange, error) });
      if (!error) {
        span.end();
        return;
      }
      // What the sender of a request has to mend is no error of the server.
      const theirs = telemetry.kind === 'server' && status !== undefined && status < 500;
      const { 'error.type': type, ...attributes } = errorAttributes(error);
      span.set(theirs ? attributes : { 'error.type': type, ...attributes });
      span.end(theirs ? undefined : errorOf(error));
    },
  };
}

/** Each attempt has a span of its own: how often a call was tried is seen. */
function attemptSpans({ began, ended }: EndpointTelemetry, own: Attributes): Policy {
  // A step that calls has a trace of its own for each of its runs, which all attempts of its call have in common.
  const tries = new WeakMap<Trace, number>();
  return (next) => {
    const recorded = async (exchange: Exchange, parent: Span): Promise<Exchange | undefined> => {
      const { trace } = exchange;
      const before = tries.get(trace) ?? 0;
      tries.set(trace, before + 1);
      const { name, kind, attributes } = told(() => began(exchange)) ?? nothingTold;
      const again = before === 0 ? {} : { [kind === 'client' ? resendCount : 'dowel.resend_count']: before };
      const span = parent.child(name, kind, { ...written(attributes), ...own, ...again });
      try {
        const answer = await next(exchange.with({ trace: trace.within(span) }));
        span.set(told(() => ended?.(answer, undefined)) ?? {});
        span.end();
        return answer?.with({ trace });
      } catch (thrown) {
        const error = toFailure(thrown);
        span.set({ ...errorAttributes(error), ...told(() => ended?.(undefined, error)) });
        span.end(errorOf(error));
        throw error;
      }
    };
    return (exchange) => {
      const { span } = exchange.trace;
      return span ? recorded(exchange, span) : next(exchange);
    };
  };
}

const nothingTold = { name: 'call', kind: 'client', attributes: {} } as const;

/** What a connector says, if it can: no message fails because of what would be recorded of it. */
function told<T>(say: () => T): T | undefined {
  try {
    return say();
  } catch {
    return undefined;
  }
}

const resendCount = 'http.request.resend_count';

/** What spans can hold: the rest, and what is empty, is left out. */
function written(attributes: Readonly<Record<string, unknown>>): Attributes {
  const kept: Record<string, Attributes[string]> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'string' ? value !== '' : typeof value === 'number' || typeof value === 'boolean') {
      kept[name] = value as string | number | boolean;
    }
  }
  return kept;
}
