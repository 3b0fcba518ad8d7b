import type { Exchange, Handler } from '../../core/exchange.ts';
import { type Failure, toFailure } from '../../errors.ts';
import type { EndpointReference } from '../../steps/step.ts';
import type { FlowWorld } from '../context.ts';
import { outcomeOf, roundedMs } from './ending.ts';

/** The same world for one step: the line that a call leaves says who made it. */
export const worldOfStep = (world: FlowWorld, place: string): FlowWorld => ({
  ...world,
  endpoint(name) {
    const found = world.endpoint(name);
    return found && { ...found, handler: leavingLines(found, place) };
  },
});

/** A call is what a step asked for, however often it was tried. */
const leavingLines =
  ({ name: endpoint, handler }: EndpointReference, place: string): Handler =>
  (exchange) =>
    exchange.services.callLog?.on ? called(handler, endpoint, place, exchange) : handler(exchange);

async function called(
  handler: Handler,
  endpoint: string,
  place: string,
  exchange: Exchange,
): Promise<Exchange | undefined> {
  const { callLog, clock } = exchange.services;
  const since = clock.monotonic();
  const write = (status: unknown, error: Failure | undefined): void => {
    // A send has no answer.
    const outcome = error ? outcomeOf(undefined, error) : 'done';
    const ms = roundedMs(clock.monotonic() - since);
    callLog?.write('call ended', { ...exchange.named, place, endpoint, outcome, status, code: error?.code, ms });
  };
  try {
    const answer = await handler(exchange);
    write(answer?.response?.status, undefined);
    return answer;
  } catch (thrown) {
    const error = toFailure(thrown);
    write(error.facts['status'], error);
    throw error;
  }
}
