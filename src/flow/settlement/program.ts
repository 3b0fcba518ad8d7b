import type { Exchange, Handler } from '../../core/exchange.ts';
import type { ConnectorSource, DeadLetterSource, FlowSource } from '../../core/written.ts';
import type { ConnectorDefinition } from '../../sdk.ts';
import { checkCall, checkConnector, checkEvent, compileOutgoing } from '../../steps/parts/outgoing.ts';
import type { CompileContext, Evaluate } from '../../steps/step.ts';
import { isContentHeader } from './letter-headers.ts';

/** What a flow says about messages that its source keeps until they are settled, compiled. */
export interface SettlementProgram {
  readonly orderBy: Evaluate | undefined;
  readonly deadLetter: DeadLetterProgram | undefined;
}

/** Whether messages of a source wait at the far side until they are settled. */
export function settles(from: ConnectorSource | undefined, definition: ConnectorDefinition | undefined): boolean {
  const says = definition?.settles;
  return from !== undefined && (typeof says === 'function' ? says(from.options) : says === true);
}

/** An endpoint for dead letters. */
export interface DeadLetterProgram {
  readonly endpoint: string;
  /** Makes what is sent, of the message as it came in with its `error`; `ownHeaders` go with it. */
  readonly build: (exchange: Exchange) => Exchange | Promise<Exchange>;
  readonly send: Handler;
}

/** `at`: gives the context of a place of the flow, in which `$error` is known where it says so. */
export function compileSettlement(
  { orderBy, deadLetter }: FlowSource,
  at: (name: string, error: boolean) => CompileContext,
): SettlementProgram {
  return {
    orderBy: orderBy && at('orderBy', false).expression(orderBy),
    deadLetter: deadLetter && compileDeadLetter(deadLetter, at('deadLetter', true)),
  };
}

function compileDeadLetter(options: DeadLetterSource, context: CompileContext): DeadLetterProgram | undefined {
  const endpoint = context.endpoint(options.endpoint, 'endpoint');
  checkConnector(endpoint, options.connector, context);
  checkCall(endpoint, options, context);
  checkEvent(endpoint, undefined, context);
  const outgoing = compileOutgoing(options, context, { repeats: true });
  if (!endpoint) return undefined;
  return {
    endpoint: endpoint.name,
    build: options.body ? (exchange) => outgoing(withoutContentHeaders(exchange)) : outgoing,
    send: endpoint.handler,
  };
}

/** What described the body that came in does not describe another one. */
function withoutContentHeaders(exchange: Exchange): Exchange {
  const others = Object.entries(exchange.ownHeaders).filter(([name]) => !isContentHeader(name));
  return exchange.with({ ownHeaders: Object.assign(Object.create(null), Object.fromEntries(others)) });
}
