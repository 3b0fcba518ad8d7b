import { stat } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { Exchange, type Services } from '../core/exchange.ts';
import { Life } from '../core/life.ts';
import type { EndpointSource } from '../core/written.ts';
import { Failure, failure, toFailure } from '../errors.ts';
import { type Policy, type PolicyOptions, policies } from '../resilience/policy.ts';
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
import { InFlight } from './in-flight.ts';
import type { FlowProgram, Program } from './program.ts';
import type { SharedResources } from './shared.ts';

/** How long a message whose sender waits may take where the flow says nothing else. */
const defaultDeadline = 60_000;
/** How many messages whose senders wait are under way in one flow where it says nothing else. */
const defaultConcurrency = 1000;

/** One version of an integration with its connections: opened once, drained once. */
export class Generation {
  readonly program: Program;
  readonly #services: Services;
  readonly #connectors: Readonly<Record<string, Connector>>;
  readonly #shared: SharedResources;
  readonly #inFlight: InFlight;
  readonly #endpoints: Endpoint[] = [];
  readonly #sources: Source[] = [];

  constructor(
    program: Program,
    services: Omit<Services, 'background' | 'config'>,
    connectors: Readonly<Record<string, Connector>>,
    shared: SharedResources,
  ) {
    this.program = program;
    this.#connectors = connectors;
    this.#shared = shared;
    this.#inFlight = new InFlight(services.clock);
    this.#services = {
      ...services,
      config: program.source.config,
      background: (work) => this.#inFlight.addBackground(work),
    };
  }

  /** Modules, then endpoints, then sources. What was opened is closed again when the rest cannot be. */
  async open(): Promise<void> {
    try {
      await Promise.all(this.program.modules.map((slot) => this.#load(slot)));
      for (const slot of this.program.endpoints.values()) {
        const endpoint = await this.#openEndpoint(
          slot.source.connector.name,
          slot.source.connector.options,
          slot.source.name,
        );
        this.#endpoints.push(endpoint);
        slot.handler = this.#policies(slot.source)(endpoint.handle);
      }
      for (const flow of this.program.flows.values()) {
        if (flow.source.from) this.#sources.push(await this.#openSource(flow));
      }
    } catch (thrown) {
      await this.stopSources();
      await this.close();
      throw thrown;
    }
  }

  /** Takes no new messages. */
  async stopSources(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.stop()));
  }

  /** Waits until nothing is under way, at most `ms`; then gives up the rest. Returns how many were given up. */
  drain(ms: number): Promise<number> {
    return this.#inFlight.drain(ms, this.#services.log);
  }

  async close(): Promise<void> {
    for (const source of this.#sources.reverse()) await source.close();
    for (const endpoint of this.#endpoints.reverse()) await endpoint.close();
    this.#sources.length = 0;
    this.#endpoints.length = 0;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  async #load(slot: Program['modules'][number]): Promise<void> {
    let module: Readonly<Record<string, unknown>>;
    try {
      // A changed file is read again after a reload; an unchanged one stays the same module for all who use it.
      const { mtimeMs, size } = await stat(slot.path);
      const url = `${pathToFileURL(slot.path).href}?v=${mtimeMs}-${size}`;
      module = (await import(url)) as Readonly<Record<string, unknown>>;
    } catch (thrown) {
      const detail = thrown instanceof Error ? thrown.message : String(thrown);
      throw failure('startup', { what: `The module ${slot.path}`, detail }, { cause: thrown });
    }
    const run = module[slot.exportName];
    if (typeof run !== 'function') {
      const names = Object.keys(module).join(', ') || 'nothing';
      throw failure('startup', {
        what: `The module ${slot.path}`,
        detail: `it has no function \`${slot.exportName}\`; it exports ${names}`,
      });
    }
    slot.run = run as (...args: readonly unknown[]) => unknown;
  }

  #context(name: string): ConnectorContext {
    const { source } = this.program;
    return {
      name,
      integration: { name: source.name, version: source.version },
      server: source.server,
      clock: this.#services.clock,
      random: this.#services.random,
      log: this.#services.log,
      services: this.#services,
      share: (key, make) => this.#shared.share(key, make),
    };
  }

  async #openEndpoint(connectorName: string, options: unknown, name: string): Promise<Endpoint> {
    const connector = this.#connector(connectorName);
    const carrier = connector.definition.carrier;
    const context: EndpointContext = {
      ...this.#context(name),
      ...(carrier ? { openCarrier: (inner: unknown) => this.#openEndpoint(carrier, inner, name) } : {}),
    };
    const module = await connector.endpoint?.();
    if (!module) throw failure('bug', { detail: `the connector ${connectorName} has no endpoint` });
    return starting(`The endpoint \`${name}\``, () => module.openEndpoint(options as never, context));
  }

  #policies({ name, connector, policies: options }: EndpointSource): Policy {
    const { clock, log } = this.#services;
    const { definition } = this.#connector(connector.name);
    return policies(options as PolicyOptions, {
      endpoint: name,
      clock,
      log,
      repeatable: ({ operation }) => isRepeatable(operation) || definition.idempotent?.(operation) === true,
    });
  }

  #openSource(flow: FlowProgram): Promise<Source> {
    const { from } = flow.source;
    if (!from) throw failure('bug', { detail: `the flow ${flow.name} has no source` });
    const awaited = this.#connector(from.name).definition.awaitsReply === true;
    return this.#openSourceOf(from.name, from.options, flow, this.#deliver(flow, awaited));
  }

  async #openSourceOf(
    connectorName: string,
    options: unknown,
    flow: FlowProgram,
    deliver: Deliver,
    wording?: Wording,
  ): Promise<Source> {
    const connector = this.#connector(connectorName);
    const carrier = connector.definition.carrier;
    const context: SourceContext = {
      ...this.#context(flow.name),
      deliver,
      // What is carried is unpacked before the flow sees it.
      needsWholeBody: !flow.streams || wording !== undefined,
      concurrency: flow.source.concurrency,
      ...(wording ? { wording } : {}),
      ...(carrier
        ? {
            openCarrier: (inner: unknown, mine: Deliver, words: Wording) =>
              this.#openSourceOf(carrier, inner, flow, mine, words),
          }
        : {}),
    };
    const module = await connector.source?.();
    if (!module) throw failure('bug', { detail: `the connector ${connectorName} has no source` });
    return starting(`The source of the flow \`${flow.name}\``, () => module.openSource(options as never, context));
  }

  #connector(name: string): Connector {
    const connector = this.#connectors[name];
    if (!connector) throw failure('bug', { detail: `there is no connector ${name}` });
    return connector;
  }

  /** The way of a message into its flow: bounded, with a life of its own, and an account of what became of it. */
  #deliver(flow: FlowProgram, awaited: boolean): Deliver {
    const services = this.#services;
    const { clock, random, log } = services;
    const { handler, name, streams } = flow;
    const limit = flow.source.deadline ?? (awaited ? defaultDeadline : undefined);
    const capacity = awaited ? (flow.source.concurrency ?? defaultConcurrency) : Number.POSITIVE_INFINITY;
    const late = (): Failure => failure('deadline', { flow: name });
    let underWay = 0;

    return async (incoming) => {
      if (underWay >= capacity) {
        throw failure('overloaded', {
          detail: `${capacity} messages are under way in the flow ${name}`,
          retryAfter: 1000,
        });
      }
      const ms = least(limit, incoming.deadline);
      const life = new Life(clock, ms === undefined ? {} : { deadline: clock.monotonic() + ms, late });
      const id = random.uuid();
      if (streams) incoming.body.allowRelay();
      const message = { id, flow: name, since: clock.monotonic(), life };
      underWay++;
      this.#inFlight.add(message);
      let relayed: Exchange | undefined;
      try {
        incoming.onStart?.(life, id);
        relayed = await handler(
          Exchange.create({
            id,
            flow: name,
            services,
            life,
            origin: incoming.origin,
            body: incoming.body,
            headers: incoming.headers,
          }),
        );
        return relayed;
      } catch (thrown) {
        const error = toFailure(thrown);
        error.outcome = life.outcome;
        report(error, { flow: name, exchange: id }, awaited, log);
        throw error;
      } finally {
        life.discard(relayed?.body);
        life.end();
        underWay--;
        this.#inFlight.delete(message);
      }
    };
  }
}

/** A caller who was told is recovered from; a bug needs somebody. Sources that nobody awaits report losses themselves. */
function report(
  error: Failure,
  facts: Readonly<Record<string, unknown>>,
  awaited: boolean,
  log: Services['log'],
): void {
  const fields = {
    ...facts,
    code: error.code,
    kind: error.kind,
    place: error.place,
    outcome: error.outcome,
    detail: error.message,
  };
  if (error.kind === 'bug') {
    const { cause } = error;
    log.error('a message failed', { ...fields, stack: cause instanceof Error ? cause.stack : undefined });
  } else if (awaited && (error.status >= 500 || error.outcome !== 'none')) log.warn('a message failed', fields);
  else log.debug('a message failed', fields);
}

const least = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.min(a, b);

async function starting<T>(what: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.code === 'startup') throw thrown;
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    throw failure('startup', { what, detail }, { cause: thrown });
  }
}

/** The step says that its call may be repeated. */
const isRepeatable = (operation: unknown): boolean =>
  (operation as { readonly repeatable?: unknown } | undefined)?.repeatable === true;
