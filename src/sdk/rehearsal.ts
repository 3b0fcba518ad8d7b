import type { Body } from '../core/body.ts';
import type { Exchange, Headers } from '../core/exchange.ts';
import type { Failure } from '../errors.ts';
import type { Source } from './connector.ts';
import type { EndpointContext, SourceContext } from './context.ts';
import type { Incoming } from './message.ts';

/** A connector whose far sides are a test's. */
export interface Rehearsal {
  /** Its source, with a way in for the test. */
  readonly openSource?: (options: never, context: SourceContext) => Promise<RehearsedSource>;
  /** Whether this call has the body of the message; absent: every one has. */
  readonly sendsBody?: (exchange: Exchange) => boolean;
  /** What an endpoint does with a call besides sending it. */
  readonly openEndpoint?: (options: never, context: EndpointContext) => Promise<RehearsedEndpoint | undefined>;
  /** What an endpoint makes of an answer; throws the Failure that it is. */
  readonly answered?: (exchange: Exchange, endpoint: string, answer: Answered) => Exchange;
}

export interface RehearsedEndpoint {
  /** The call as it would be sent; throws the Failure that it is. */
  prepared(exchange: Exchange): Exchange | Promise<Exchange>;
  /** The answer to a prepared call; throws the Failure that it is. */
  answered(exchange: Exchange, answer: Exchange): Exchange | Promise<Exchange>;
}

export interface RehearsedSource extends Source {
  /** Resolves with what the sender gets; never rejects. */
  send(message: Incoming): Promise<Answered>;
}

export interface Answered {
  /** Where the protocol has one. */
  readonly status?: number | undefined;
  readonly headers: Headers;
  readonly body: Body;
  /** That nobody caught. */
  readonly error?: Failure | undefined;
}
