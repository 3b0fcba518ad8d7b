/** Where CloudEvents come in and go out: between sources and flows, steps and endpoints. */
import type { Exchange, Handler } from '../core/exchange.ts';
import type { EndpointSource, FlowSource, IntegrationSource, Report } from '../core/written.ts';
import { modeProblem } from '../events/check.ts';
import type { EndpointEvents, SourceEvents } from '../events/options.ts';
import type { ConnectorDefinition } from '../sdk.ts';
import type { Catching } from '../steps/parts/catch.ts';
import type { Evaluate } from '../steps/step.ts';
import { withErrors } from './errors.ts';
import type { DeadLetterProgram } from './settlement/program.ts';

type Definitions = Readonly<Record<string, ConnectorDefinition>>;

export type Open = (exchange: Exchange) => Promise<Exchange>;

/** Opens the events that messages of the flow are; `undefined`: they are none. */
export function opener({ from, events }: FlowSource, connectors: Definitions): Open | undefined {
  if (!from || events === undefined) return undefined;
  const binding = connectors[from.name]?.events || undefined;
  // Loaded only where there are events.
  const loading = import('../events/receive.ts');
  return async (exchange) => (await loading).received(exchange, events as SourceEvents, binding);
}

/** The flow over what is in the events. What cannot be opened is an error of the flow, with the message as it came. */
export function overEvents(open: Open | undefined, main: Handler, onError: Catching | undefined): Handler {
  const inner = withErrors(main, onError);
  if (!open) return inner;
  return async (exchange) => {
    let opened: Exchange;
    try {
      opened = await open(exchange);
    } catch (thrown) {
      return withErrors(() => Promise.reject(thrown), onError)(exchange);
    }
    return inner(opened);
  };
}

export const evaluatedOver = (open: Open | undefined, evaluate: Evaluate | undefined): Evaluate | undefined =>
  open && evaluate ? async (exchange) => evaluate(await open(exchange)) : evaluate;

/** `$event` where a dead letter is written; the rest of the message stays as it came. What is no event has none. */
export function lettersOver(
  open: Open | undefined,
  letters: DeadLetterProgram | undefined,
): DeadLetterProgram | undefined {
  if (!open || !letters) return letters;
  const build = async (exchange: Exchange): Promise<Exchange> => {
    const opened = await open(exchange).catch(() => undefined);
    const event = opened?.origin.event;
    return letters.build(event ? exchange.with({ origin: { ...exchange.origin, event } }) : exchange);
  };
  return { ...letters, build };
}

/** Makes what goes to the endpoint an event, if it says so. */
export function sendingEvents(
  { name, events, connector }: EndpointSource,
  integration: string,
  connectors: Definitions,
  far: Handler,
): Handler {
  if (events === undefined) return far;
  const options = events as EndpointEvents;
  const sender = { endpoint: name, integration, options, binding: connectors[connector.name]?.events || undefined };
  const loading = import('../events/send.ts');
  return async (exchange) => far(await (await loading).asEvent(exchange, sender));
}

export function checkEvents(source: IntegrationSource, connectors: Definitions, report: Report): void {
  const never = (events: unknown, name: string, pointer: string): void => {
    if (events === undefined || connectors[name]?.events !== false) return;
    const message = `Messages of \`${name}\` are never CloudEvents: drop \`cloudEvents\``;
    report({ severity: 'error', code: 'no-event', at: 'key', message, pointer: `${pointer}/cloudEvents` });
  };
  for (const { from, events, pointer } of Object.values(source.flows)) {
    if (from) never(events, from.name, `${pointer}/from`);
  }
  for (const { events, connector, pointer } of Object.values(source.endpoints)) {
    if (events === undefined) continue;
    never(events, connector.name, pointer);
    const problem = modeProblem(events as EndpointEvents, connector, connectors[connector.name]?.events);
    if (problem === undefined) continue;
    const found = { severity: 'error', code: 'no-headers', pointer: `${pointer}/cloudEvents/mode` } as const;
    report({ ...found, message: problem, suggestion: 'structured' });
  }
}
