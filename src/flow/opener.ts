import type { Services } from '../core/exchange.ts';
import { failure } from '../errors.ts';
import type {
  Connector,
  ConnectorContext,
  Deliver,
  Endpoint,
  EndpointContext,
  Source,
  SourceContext,
  Wording,
} from '../sdk.ts';
import { asked } from './asked.ts';
import type { StoredQueue } from './durable-queue/queue.ts';
import type { Queues } from './durable-queue/queues.ts';
import type { FlowProgram, Program } from './program.ts';
import type { SharedResources } from './shared.ts';
import { endpointCalled, sourceOf, starting } from './starting.ts';

export interface OpenerWorld {
  readonly program: Program;
  readonly services: Services;
  readonly connectors: Readonly<Record<string, Connector>>;
  readonly shared: SharedResources;
}

/** Opens the endpoints and sources of a version, with all that connectors may use. */
export class Opener {
  /** Absent where nothing is kept. */
  queues: Queues | undefined;
  readonly #world: OpenerWorld;
  readonly #queueNames = new Set<string>();
  /** By flow: what its source reads. */
  readonly #read = new Map<string, StoredQueue>();

  constructor(world: OpenerWorld) {
    this.#world = world;
  }

  connector(name: string): Connector {
    const connector = this.#world.connectors[name];
    if (!connector) throw failure('bug', { detail: `there is no connector ${name}` });
    return connector;
  }

  async endpoint(name: string, connectorName: string, options: unknown): Promise<Endpoint> {
    const connector = this.connector(connectorName);
    const carrier = connector.definition.carrier;
    const context: EndpointContext = {
      ...this.#context(name),
      meets: this.#metBy(connectorName, options),
      ...(carrier ? { openCarrier: (inner: unknown) => this.endpoint(name, carrier, inner) } : {}),
    };
    const module = await connector.endpoint?.();
    if (!module) throw failure('bug', { detail: `the connector ${connectorName} has no endpoint` });
    return starting(endpointCalled(name), () => module.openEndpoint(options as never, context));
  }

  /** `paused`: it takes nothing yet. */
  async source(flow: FlowProgram, deliver: Deliver, paused: boolean): Promise<Source> {
    const { from } = flow.source;
    if (!from) throw failure('bug', { detail: `the flow ${flow.name} has no source` });
    return this.#source(flow, { connector: from.name, options: from.options, deliver, paused });
  }

  /** How many messages wait in the store for a flow, those under way included; `undefined`: its source has no queue there. */
  queued(flow: string): number | undefined {
    return this.#read.get(flow)?.waiting;
  }

  /** Says which messages wait where none of what was opened reads. */
  async reportUnread(): Promise<void> {
    await this.queues?.reportUnread(this.#queueNames);
  }

  async #source(
    flow: FlowProgram,
    { connector: connectorName, options, deliver, paused, wording }: Way,
  ): Promise<Source> {
    const connector = this.connector(connectorName);
    const carrier = connector.definition.carrier;
    const context: SourceContext = {
      ...this.#context(flow.name),
      queue: (called) => {
        const queue = this.#queue(called);
        this.#read.set(flow.name, queue);
        return queue;
      },
      deliver,
      expression: asked(this.#world.services),
      // What is carried is unpacked before the flow sees it.
      needsWholeBody: !flow.streams || wording !== undefined,
      paused,
      concurrency: flow.source.concurrency,
      inOrder: (flow.source.concurrency ?? 1) === 1 && !flow.source.orderBy,
      ...(wording ? { wording } : {}),
      ...(carrier
        ? {
            openCarrier: (inner: unknown, mine: Deliver, words: Wording) =>
              this.#source(flow, { connector: carrier, options: inner, deliver: mine, paused, wording: words }),
          }
        : {}),
    };
    const module = await connector.source?.();
    if (!module) throw failure('bug', { detail: `the connector ${connectorName} has no source` });
    return starting(sourceOf(flow.name), () => module.openSource(options as never, context));
  }

  /** The options of the source that an endpoint reaches in this process. */
  #metBy(connector: string, options: unknown): unknown {
    const at = this.connector(connector).definition.meetsAt;
    if (!at) return undefined;
    const flows = Object.values(this.#world.program.source.flows);
    return flows.find(({ from }) => from?.name === connector && at(from.options) === at(options))?.from?.options;
  }

  #context(name: string): ConnectorContext {
    const { program, services, shared } = this.#world;
    const { clock, random, log } = services;
    const { name: integration, version, server } = program.source;
    return {
      name,
      integration: { name: integration, version },
      server,
      clock,
      random,
      log,
      services,
      share: (key, make) => shared.share(key, make),
      jsonSchema: program.jsonSchema,
      queue: (called) => this.#queue(called),
    };
  }

  #queue(called: string): StoredQueue {
    if (!this.queues) throw failure('bug', { detail: `the store for the queue ${called} is not open` });
    this.#queueNames.add(called);
    return this.queues.open(called);
  }
}

/** A source, or what carries it. */
interface Way {
  readonly connector: string;
  readonly options: unknown;
  readonly deliver: Deliver;
  readonly paused: boolean;
  readonly wording?: Wording;
}
