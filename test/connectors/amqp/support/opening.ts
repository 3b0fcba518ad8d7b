import type { TestContext } from 'node:test';
import { type Endpoint, failure, type Source } from '#sdk';
import type { AmqpEndpointOptions, AmqpSourceOptions } from '../../../../connectors/amqp/definition.ts';
import { openEndpoint } from '../../../../connectors/amqp/endpoint.ts';
import { openSource } from '../../../../connectors/amqp/source.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { eventually } from '../../../support/eventually.ts';
import { ManualFlow, type PlainContext, type PlainOptions, plainContext } from '../../../support/plain-context.ts';
import { endpointOptions, sourceOptions } from './options.ts';

export interface OpenedSource {
  readonly source: Source;
  readonly flow: ManualFlow;
  readonly context: PlainContext;
  /** Waits until so many messages were handed over. */
  reached(count: number): Promise<void>;
  /** As the runtime ends it: what is not settled goes back. */
  end(): Promise<void>;
}

export async function opened(
  t: TestContext,
  options: Parameters<typeof sourceOptions>[0],
  more: PlainOptions = {},
): Promise<OpenedSource> {
  const flow = new ManualFlow();
  const context = plainContext({ name: 'main', clock: systemClock, deliver: flow.deliver, ...more });
  const source = await openSource(sourceOptions(options) as AmqpSourceOptions as never, context);
  const end = async (): Promise<void> => {
    await source.stop();
    for (const one of flow.deliveries) one.reject(failure('stopping', {}, { kind: 'cancelled' }));
    await source.close();
  };
  t.after(end);
  const reached = (count: number): Promise<void> =>
    eventually(`${count} messages are handed over`, () => flow.deliveries.length >= count);
  return { source, flow, context, reached, end };
}

export async function openedEndpoint(
  t: TestContext,
  options: Parameters<typeof endpointOptions>[0],
  more: PlainOptions = {},
): Promise<{ readonly endpoint: Endpoint; readonly context: PlainContext }> {
  const context = plainContext({ name: 'events', clock: systemClock, ...more });
  const endpoint = await openEndpoint(endpointOptions(options) as AmqpEndpointOptions as never, context);
  t.after(() => endpoint.close());
  return { endpoint, context };
}
