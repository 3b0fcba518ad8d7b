/** The outside of an integration in a test: every connector with far sides that are the test's. */
import type { IntegrationSource } from '../core/written.ts';
import type { Answered, Connector, ConnectorDefinition, RehearsedSource, SourceContext } from '../sdk.ts';
import type { SendPlan } from './plan-sends.ts';
import { incoming, plainSource } from './sender.ts';
import { type StandInWorld, standIn } from './stand-in.ts';

/** What a test sends to a flow without a source comes by this one, which no file can name. */
export const byTest: ConnectorDefinition = {
  name: '(the test)',
  summary: 'Sends to flows that have no source.',
  source: { type: 'object', properties: {} },
  awaitsReply: true,
  provides: ['params', 'query', 'identity'],
};

const flowByTest = (flow: string): string => `${flow} (called by the test)`;

/** The integration with a source for each of these sub-flows. */
export function withSources(integration: IntegrationSource, flows: Iterable<string>): IntegrationSource {
  const added = [...flows].flatMap((name) => {
    const flow = integration.flows[name];
    if (!flow || flow.from) return [];
    const { pointer } = flow;
    const from = { name: byTest.name, options: {}, pointer };
    const steps = [{ kind: 'run', options: { flow: name }, pointer }];
    return [{ name: flowByTest(name), from, steps, pointer }];
  });
  if (added.length === 0) return integration;
  const all = Object.fromEntries(added.map((flow) => [flow.name, flow]));
  return { ...integration, flows: Object.assign(Object.create(null), integration.flows, all) };
}

/** Sends a message into a flow; resolves with what the sender gets. */
export type Send = (message: SendPlan & { readonly flow: string }) => Promise<Answered>;

export interface Outside {
  readonly connectors: Readonly<Record<string, Connector>>;
  readonly send: Send;
}

export function outside(connectors: Readonly<Record<string, Connector>>, world: StandInWorld): Outside {
  const sources = new Map<string, { readonly source: RehearsedSource; readonly context: SourceContext }>();
  const all = { ...connectors, [byTest.name]: { definition: byTest } };

  const rehearsed = (connector: Connector): Connector => ({
    definition: connector.definition,
    // What another one carries is unpacked by its own source, what meets inside the process comes from inside.
    source:
      connector.definition.carrier === undefined && connector.definition.meetsAt === undefined
        ? async () => {
            const rehearsal = (await connector.rehearsal?.())?.rehearsal;
            const openSource = async (options: never, context: SourceContext): Promise<RehearsedSource> => {
              const open = rehearsal?.openSource;
              const source = open ? await open(options, context) : plainSource(connector.definition, context);
              sources.set(context.name, { source, context });
              return source;
            };
            return { openSource };
          }
        : async () => {
            const real = await connector.source?.();
            if (!real) throw new Error(`the connector ${connector.definition.name} has no source`);
            const openSource = async (options: never, context: SourceContext) => {
              // Also from the test, as from inside.
              if (connector.definition.meetsAt !== undefined)
                sources.set(context.name, { source: plainSource(connector.definition, context), context });
              return real.openSource(options, context);
            };
            return { openSource };
          },
    endpoint: async () => {
      const rehearsal = (await connector.rehearsal?.())?.rehearsal;
      const real = connector.definition.meetsAt === undefined ? undefined : await connector.endpoint?.();
      return {
        openEndpoint: async (options, context) =>
          standIn(
            context.name,
            connector.definition,
            world,
            rehearsal,
            world.answers.has(context.name) ? undefined : await real?.openEndpoint(options, context),
            await rehearsal?.openEndpoint?.(options, context),
          ),
      };
    },
  });

  return {
    connectors: Object.fromEntries(Object.entries(all).map(([name, one]) => [name, rehearsed(one)])),
    send(message) {
      const found = sources.get(message.flow) ?? sources.get(flowByTest(message.flow));
      if (!found) return Promise.reject(new Error(`the flow ${message.flow} is not open`));
      return found.source.send(incoming(message, found.context));
    },
  };
}
