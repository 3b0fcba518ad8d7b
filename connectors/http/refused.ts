import type { IncomingMessage } from 'node:http';
import { type Failure, type Headers, type SourceContext, Trace } from '#sdk';
import { knownMethod } from './request-meter.ts';

/** A request that no flow got. */
export interface Refused {
  readonly request: IncomingMessage;
  /** What its answer calls it. */
  readonly id: string;
  /** Where the path is served. */
  readonly route: { readonly flow: string; readonly path: string } | undefined;
  readonly status: number;
  readonly error: Failure;
  readonly secure: boolean;
}

/** Of a path that somebody made up no more is written. */
const longestPath = 200;

/** Says it where messages are said, and records it where they are. */
export function tellRefused(
  { callLog, tracer, random }: SourceContext['services'],
  { request, id, route, status, error: { code, facts }, secure }: Refused,
): void {
  const lines = callLog?.on ? callLog : undefined;
  if (!lines && !tracer) return;
  const trace = new Trace(id, request.headers as Headers, random);
  const method = knownMethod(request.method);
  const path = request.url?.split('?', 1)[0]?.slice(0, longestPath);
  const flow = route?.flow;
  const reason = code === 'unauthenticated' ? facts['reason'] : undefined;
  lines?.write('request refused', { flow, exchange: id, traceId: trace.id, method, path, status, code, reason });
  if (!tracer?.records(trace)) return;
  const named = method === '_OTHER' ? 'HTTP' : method;
  const span = tracer.begin(trace, route ? `${named} ${route.path}` : named, 'server', {
    'http.request.method': method,
    'http.route': route?.path,
    'http.response.status_code': status,
    'url.path': path,
    'url.scheme': secure ? 'https' : 'http',
    'dowel.flow': flow,
    'dowel.exchange.id': id,
    'dowel.outcome': 'rejected',
    'dowel.error.code': code,
    'error.type': status >= 500 ? code : undefined,
  });
  span.end(status >= 500 ? code : undefined);
}
