import type { Exchange, Handler, Headers } from '../core/exchange.ts';

/** What an endpoint sends carries the trace of the message in its headers, each attempt as a span of its own. */
export const traced =
  (next: Handler): Handler =>
  async (exchange) => {
    const { ownHeaders } = exchange;
    const sent = withTrace(exchange);
    const answer = await next(sent);
    // It belongs to what was sent, not to what comes of it.
    return answer?.ownHeaders === sent.ownHeaders ? answer.with({ ownHeaders }) : answer;
  };

/** What the file says about it wins. */
function withTrace(exchange: Exchange): Exchange {
  const { ownHeaders, trace } = exchange;
  if (ownHeaders['traceparent'] !== undefined) return exchange;
  const headers: Record<string, string | readonly string[]> = Object.assign(Object.create(null), ownHeaders);
  headers['traceparent'] = trace.next();
  const { state } = trace;
  if (state !== undefined && headers['tracestate'] === undefined) headers['tracestate'] = state;
  return exchange.with({ ownHeaders: headers as Headers });
}
