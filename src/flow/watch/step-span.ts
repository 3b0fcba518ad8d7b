import type { Exchange, Handler } from '../../core/exchange.ts';
import type { Span } from '../../core/span.ts';
import { toFailure } from '../../errors.ts';
import { errorAttributes, errorOf } from './ending.ts';

/** What is known of a step before any message comes. */
export interface StepFacts {
  /** As the file calls it, else its kind. */
  readonly title: string;
  readonly kind: string;
  readonly place: string;
}

/** A step with a span of its own, where the message has one: what the step does stands inside of it. */
export function spanned(handler: Handler, { title, kind, place }: StepFacts): Handler {
  const facts = { 'dowel.step.kind': kind, 'dowel.step.place': place };
  return (exchange) => {
    const { span } = exchange.trace;
    return span ? within(span.child(title, 'internal', facts), handler, exchange) : handler(exchange);
  };
}

async function within(span: Span, handler: Handler, exchange: Exchange): Promise<Exchange | undefined> {
  const { trace } = exchange;
  try {
    const next = await handler(exchange.with({ trace: trace.within(span) }));
    span.end();
    return next?.with({ trace });
  } catch (thrown) {
    const error = toFailure(thrown);
    span.set(errorAttributes(error));
    span.end(errorOf(error));
    throw error;
  }
}
