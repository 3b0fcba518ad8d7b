import type { Exchange } from '../../core/exchange.ts';

/** The span in which a message is now, as `traceparent`, for what comes of it later; `undefined`: none is recorded. */
export const spanOf = ({ trace }: Exchange): string | undefined => (trace.span ? trace.next() : undefined);
