import { bare } from '../core/bare.ts';
import { type Exchange, type Handler, type Headers, noHeaders } from '../core/exchange.ts';

/** What an endpoint sends carries the trace of the message in its headers, each attempt as a span of its own. */
export const traced =
  (next: Handler): Handler =>
  (exchange) => {
    const { ownHeaders } = exchange;
    const sent = withTrace(exchange);
    if (sent === exchange) return next(exchange);
    // It belongs to what was sent, not to what comes of it.
    return next(sent).then((answer) =>
      answer?.ownHeaders === sent.ownHeaders ? answer.withOwnHeaders(ownHeaders) : answer,
    );
  };

/** What the file says about it wins. */
function withTrace(exchange: Exchange): Exchange {
  const { ownHeaders, trace } = exchange;
  if (ownHeaders['traceparent'] !== undefined) return exchange;
  const headers: Record<string, string | readonly string[]> = bare();
  if (ownHeaders !== noHeaders) Object.assign(headers, ownHeaders);
  trace.mark(headers);
  return exchange.withOwnHeaders(headers as Headers);
}
