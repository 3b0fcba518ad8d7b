import type { Exchange, Services } from '../core/exchange.ts';
import { type Meter, MeterScope, noMeter } from '../core/meter.ts';
import { redactor } from '../core/redactor.ts';
import { failure } from '../errors.ts';
import type { CircuitBreaker } from '../resilience/circuit-breaker.ts';
import type { Connector, ConnectorContext, ConnectorDefinition, Deliver, Endpoint, Source } from '../sdk.ts';
import { whetherDisconnected } from './connection-gauges.ts';
import type { DeadLetterKeeper } from './dead-letter.ts';
import { type Definition, definitionOf } from './dead-letters/definition.ts';
import type { Replayed } from './dead-letters/replayed.ts';
import { endAll } from './end-all.ts';
import { Guards } from './guards.ts';
import { InFlight } from './in-flight.ts';
import { type Intake, intake, waitsForVersion } from './intake.ts';
import type { Kept } from './kept.ts';
import { reportLeftBehind } from './left-behind.ts';
import { loadModule } from './load-module.ts';
import { Opener } from './opener.ts';
import { preparing, receiving } from './operation.ts';
import { undoParking } from './parked-undo.ts';
import type { FlowProgram, Program } from './program.ts';
import { hashOf, type Runs } from './runs.ts';
import { saysSo } from './says-so.ts';
import type { Settlement } from './settlement/settlement.ts';
import type { SharedResources } from './shared.ts';
import { SourceSlot } from './source-slot.ts';
import { endpointCalled, sourceOf } from './starting.ts';
import { type Status, statusOf } from './status.ts';
import { traced } from './traced.ts';
import { type MessageWatch, messageWatch } from './watch/message-watch.ts';
import type { Spans } from './watch/spans.ts';

/**
 * `all`; or, for messages that are replayed, no source that takes messages from outside: those alone that are reached
 * from inside and have nothing waiting yet (`inside`), or none (`endpoints`).
 */
export type Opening = 'all' | 'inside' | 'endpoints';

/** How long messages that came while the rest could not be opened may take to finish. */
const unopenedMs = 5_000;

/** One version of an integration with its connections: opened once, drained once. */
export class Generation {
  readonly program: Program;
  readonly #services: Services;
  readonly #opener: Opener;
  readonly #inFlight: InFlight;
  readonly #meter: MeterScope;
  /** By what they are called when they make trouble. */
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #guards: Guards;
  readonly #sources = new Map<string, Source>();
  /** By flow. */
  readonly #slots = new Map<string, SourceSlot>();
  readonly #intakes = new Map<string, Intake>();
  /** By flow: the way in. */
  readonly #ways = new Map<string, (message: Replayed) => Promise<Exchange | undefined>>();
  /** By flow: of those whose sources keep a message until it is settled. */
  readonly #settlements = new Map<string, Settlement>();
  /** Loaded where a flow needs it. */
  #settling: typeof Settlement | undefined;
  readonly #openKept: () => Promise<Kept>;
  #runs: Runs | undefined;
  /** Where traces are recorded. */
  #spans: Spans | undefined;
  #definition: Definition | undefined;

  constructor(
    program: Program,
    services: Omit<Services, 'background' | 'config' | 'meter'> & { readonly meter?: Meter },
    connectors: Readonly<Record<string, Connector>>,
    shared: SharedResources,
    openKept: () => Promise<Kept>,
  ) {
    this.program = program;
    this.#openKept = openKept;
    this.#inFlight = new InFlight(services.clock, services.log);
    this.#meter = new MeterScope(services.meter ?? noMeter);
    this.#services = {
      ...services,
      meter: this.#meter,
      config: program.source.config,
      background: (work, what) => this.#inFlight.addBackground(work, what),
      parkUndo: undoParking({ integration: this.#named, clean: this.clean, keeper: () => this.#keeper() }),
    };
    this.#guards = new Guards(this.#services);
    this.#opener = new Opener({ program, services: this.#services, connectors, shared });
  }

  /**
   * Modules, then endpoints, then sources. What was opened is closed again when the rest cannot be. `paused`: flows whose
   * sources take nothing for now.
   */
  async open(opening: Opening = 'all', paused: ReadonlySet<string> = new Set()): Promise<void> {
    try {
      await Promise.all(this.program.modules.map(loadModule));
      await this.#openSpans();
      const flows = [...this.program.flows.values()].filter((flow) => flow.source.from);
      const durable = flows.some((flow) => flow.durable);
      if (this.program.laters.length > 0 || flows.some((flow) => flow.settlement)) {
        this.#settling = (await import('./settlement/settlement.ts')).Settlement;
      }
      if (durable || this.program.store.needed) {
        const { store, runs, queues } = await this.#openKept();
        this.program.store.store = store;
        this.#opener.queues = queues;
        if (durable) this.#runs = runs;
      }
      for (const slot of this.program.endpoints.values()) {
        const { name, connector } = slot.source;
        const endpoint = await this.#opener.endpoint(name, connector.name, connector.options);
        this.#endpoints.set(endpointCalled(name), endpoint);
        this.#meter.gauge(...whetherDisconnected('endpoint', name, () => endpoint.ready === false));
        const { definition } = this.#opener.connector(connector.name);
        const handle = definition.writesTrace ? endpoint.handle : traced(endpoint.handle);
        const guarded = this.#guards.around(
          slot.source,
          definition,
          this.#spans?.attempts(slot.source),
        )(receiving(handle));
        slot.handler = endpoint.prepare ? preparing(endpoint.prepare, guarded) : guarded;
      }
      const sources = flows.map((flow) => ({ flow, slot: this.#slot(flow) }));
      // Before the sources: what one of them hands over again is under way by then.
      await this.#openLaters();
      if (opening === 'all') await this.resume();
      for (const { later } of opening === 'all' ? this.program.laters : []) await later.wake();
      for (const { flow, slot } of sources) {
        if (!this.#opens(flow, opening)) continue;
        await slot.open(paused.has(flow.name));
        this.#sources.set(sourceOf(flow.name), slot);
        this.#slots.set(flow.name, slot);
      }
      // Of a flow that is paused nobody knows whether it would read.
      if (opening === 'all' && paused.size === 0) await this.#opener.reportUnread();
      if (opening === 'all') await reportLeftBehind(this.program, this.#services.log);
    } catch (thrown) {
      await this.stopSources();
      // Sources that were open by then may have taken messages.
      await this.drain(unopenedMs);
      await this.close();
      throw thrown;
    }
  }

  /** Takes no new messages; those that wait for their turn, or to be tried again, go back to where they came from. */
  async stopSources(): Promise<void> {
    const stopped = endAll(this.#sources, 'stopped', (source) => source.stop(), this.#services);
    // The sources know by now that what they give back is not to come again to them.
    for (const settlement of this.#settlements.values()) settlement.stop();
    await stopped;
  }

  /** Waits until nothing is under way, at most `ms`; then gives up the rest. Returns how many were given up. */
  drain(ms: number): Promise<number> {
    return this.#inFlight.drain(ms);
  }

  /** Sources, then endpoints. One that fails or hangs keeps no other from being closed. */
  async close(): Promise<void> {
    for (const all of [this.#sources, this.#endpoints]) {
      await endAll<Source | Endpoint>(all, 'closed', (one) => one.close(), this.#services);
      all.clear();
    }
    this.#meter.end();
  }

  /** What a person wants to know of it. */
  status(): Pick<Status, 'flows' | 'endpoints'> {
    return statusOf(this.program, {
      sourceOf: (flow) => this.#slots.get(flow),
      endpointCalled: (name) => this.#endpoints.get(endpointCalled(name)),
      inFlight: (flow) => this.#inFlight.of(flow),
      queued: (flow) => this.#opener.queued(flow),
      settlement: (flow) => this.#settlements.get(flow),
      guard: (endpoint) => this.#guards.of(endpoint),
    });
  }

  breakerOf(endpoint: string): CircuitBreaker | undefined {
    return this.#guards.of(endpoint)?.breaker;
  }

  /** Of a flow that has one, where this version has opened it. */
  sourceOf(flow: string): SourceSlot | undefined {
    return this.#slots.get(flow);
  }

  /** Whether all that says so is connected to its far side. */
  get ready(): boolean {
    for (const source of this.#sources.values()) if (source.ready === false) return false;
    for (const endpoint of this.#endpoints.values()) if (endpoint.ready === false) return false;
    return true;
  }

  /** By flow: what became of the messages of sources that keep them until they are settled. */
  get settlements(): ReadonlyMap<string, Settlement> {
    return this.#settlements;
  }

  get inFlight(): Pick<InFlight, 'size' | 'isEmpty'> {
    return this.#inFlight;
  }

  get definition(): Definition {
    this.#definition ??= definitionOf(this.program.source);
    return this.#definition;
  }

  /** Takes secrets out of a text. */
  get clean(): (text: string) => string {
    return redactor(() => this.program.source.secrets);
  }

  /** Into a flow as its source does, with all that the flow says about redelivery; `undefined`: it has no source. */
  wayInto(flow: string): ((message: Replayed) => Promise<Exchange | undefined>) | undefined {
    return this.#ways.get(flow);
  }

  #opens({ source: { from } }: FlowProgram, opening: Opening): boolean {
    if (opening !== 'inside' || !from) return opening === 'all';
    const { meetsAt, queues } = this.#opener.connector(from.name).definition;
    return meetsAt !== undefined && queues?.(from.options) !== true;
  }

  /** Messages that a process left behind go on, beside the new ones. */
  async resume(): Promise<void> {
    for (const run of (await this.#runs?.leftBehind()) ?? []) {
      const { flow, hash, id } = run.record;
      const taken = this.#intakes.get(flow);
      const settlement = run.record.owned ? this.#settlements.get(flow) : undefined;
      const fits = taken?.hash === hash || (taken?.hash !== undefined && run.fresh);
      if (!fits) {
        this.#services.log.error(waitsForVersion, { flow, exchange: id });
        continue;
      }
      const left = taken.hash === hash ? run : await run.adopted(taken.hash);
      // It may wait long: a shutdown waits only while it runs.
      if (settlement) void settlement.resume(left);
      else this.#services.background(taken.resume(left), `the message ${id} of ${flow}`);
    }
  }

  /** The source of a flow, before it is opened. */
  #slot(flow: FlowProgram): SourceSlot {
    const { from } = flow.source;
    if (!from) throw failure('bug', { detail: `the flow ${flow.name} has no source` });
    const { definition } = this.#opener.connector(from.name);
    const awaited = saysSo(definition.awaitsReply, from.options);
    const taken = this.#intake(flow, awaited);
    // Who waits for an answer gets it at the flow's end, and not from the journal.
    const settled = awaited ? { ...taken, journal: undefined } : taken;
    const way = (): Deliver => {
      const deliver = flow.settlement ? this.#settlement(flow, settled, definition).deliver : taken.deliver;
      this.#ways.set(flow.name, deliver);
      return deliver;
    };
    const staysOpen = definition.staysOpen?.(from.options) === true;
    let deliver = way();
    const slot = new SourceSlot({
      flow: flow.name,
      clock: this.#services.clock,
      log: this.#services.log,
      staysOpen,
      // One that stays open goes on with what settles its messages by then.
      open: (paused) => {
        const into: Deliver = staysOpen && flow.settlement ? (message) => deliver(message) : deliver;
        return this.#opener.source(flow, into, paused);
      },
      hold: taken.hold,
      giveBack: () => {
        const before = this.#settlements.get(flow.name);
        before?.stop();
        deliver = way();
        return () => (before ? before.unsettled === 0 : this.#inFlight.of(flow.name) === 0);
      },
    });
    const help = 'Whether a person has paused the source of a flow.';
    this.#meter.gauge('dowel_source_paused', help, { flow: flow.name }, () => (slot.holds ? 1 : 0));
    this.#meter.gauge(...whetherDisconnected('source', flow.name, () => slot.disconnected));
    return slot;
  }

  /** Steps that keep messages; what each has kept goes on when it is woken. */
  async #openLaters(): Promise<void> {
    if (this.program.laters.length === 0) return;
    const { store, underWay } = await this.#openKept();
    for (const { flow, later } of this.program.laters) {
      const { deliver } = this.#settlement(flow, this.#intake(flow, false));
      this.#ways.set(flow.name, deliver);
      const stop = async (): Promise<void> => later.stop();
      this.#sources.set(`What ${flow.name} has kept`, { stop, close: stop });
      later.open({ deliver, services: this.#services, store, underWay });
    }
  }

  #settlement(flow: FlowProgram, { run, journal }: Intake, source?: ConnectorDefinition): Settlement {
    if (!this.#settling) throw failure('bug', { detail: `nothing settles messages of ${flow.name}` });
    const settlement = new this.#settling(flow, {
      services: this.#services,
      inFlight: this.#inFlight,
      integration: this.#named,
      clean: this.clean,
      definitionHash: hashOf(flow, this.program),
      keeper: () => this.#keeper(),
      run,
      journal,
      postpones: source?.postpones === true,
      countsDeliveries: source?.countsDeliveries === true,
    });
    this.#settlements.set(flow.name, settlement);
    return settlement;
  }

  get #named(): ConnectorContext['integration'] {
    const { name, version } = this.program.source;
    return { name, version };
  }

  /** The store is opened for the first dead letter, if nothing else needed it. */
  async #keeper(): Promise<DeadLetterKeeper> {
    const letters = await (await this.#openKept()).letters();
    return { keep: async (letter, body) => void (await letters.keep(letter, body, this.definition)) };
  }

  #intake(flow: FlowProgram, awaited: boolean): Intake {
    const durable = flow.durable && this.#runs ? { runs: this.#runs, hash: hashOf(flow, this.program) } : undefined;
    const watch = this.#watch(flow, awaited);
    const made = intake(flow, { services: this.#services, inFlight: this.#inFlight, awaited, durable, watch });
    this.#intakes.set(flow.name, made);
    return made;
  }

  #watch({ name: flow, source }: FlowProgram, awaited: boolean): MessageWatch | undefined {
    // What a step has kept goes on under a name of its own, and comes from nowhere outside.
    const from = flow === source.name ? source.from : undefined;
    return messageWatch({ flow, source: from?.name, awaited }, this.#services, this.#spans?.messages(flow, from));
  }

  async #openSpans(): Promise<void> {
    const { tracer } = this.#services;
    if (!tracer) return;
    const { openSpans } = await import('./watch/spans.ts');
    this.#spans = await openSpans(tracer, this.program.source, (name) => this.#opener.connector(name));
  }
}
