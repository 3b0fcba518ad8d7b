import type { Handler } from '../core/exchange.ts';
import type { FlowSource, IntegrationSource, Report, StepSource } from '../core/written.ts';
import { failure } from '../errors.ts';
import { compileExpression, type Expression } from '../expression/expression.ts';
import type { PolicyOptions } from '../resilience/policy.ts';
import { nearest } from '../schema/nearest.ts';
import type { ConnectorDefinition } from '../sdk.ts';
import { compileCatch } from '../steps/parts/catch.ts';
import type { Compiled, EndpointReference, SchemaFinding, StepDefinition, Surrounding } from '../steps/step.ts';
import type { Store } from '../store/store.ts';
import { FirstBody } from './body-use.ts';
import { checkClaims, checkMeetings, checkSubFlows, declaredFields, givenNames, ownErrorCodes } from './checks.ts';
import { type FlowWorld, type Place, StepContext } from './context.ts';
import { checkBrought, remembering } from './contract-checks.ts';
import { subFlow, withErrors } from './errors.ts';
import { checkEvents, evaluatedOver, lettersOver, opener, overEvents, sendingEvents } from './events.ts';
import { Names } from './names.ts';
import { observe } from './observe.ts';
import { isRepeatable } from './operation.ts';
import { checkPolicies } from './policy-checks.ts';
import type {
  EndpointSlot,
  FlowProgram,
  LaterProgram,
  LaterSource,
  ModuleSlot,
  Program,
  StoreSlot,
} from './program.ts';
import { saysSo } from './says-so.ts';
import { everywhere } from './scope.ts';
import { checkSettlement } from './settlement/checks.ts';
import { compileSettlement, settles } from './settlement/program.ts';
import { checkSources } from './source-checks.ts';
import { joined, type Step, surrounding, told } from './step-list.ts';
import { worldOfStep } from './watch/call-lines.ts';
import { spanned } from './watch/step-span.ts';

export interface CompileTools {
  readonly steps: readonly StepDefinition[];
  readonly connectors: Readonly<Record<string, ConnectorDefinition>>;
  /** Throws an Error with a readable message when the schema itself is wrong. */
  readonly jsonSchema: (schema: unknown) => (value: unknown) => readonly SchemaFinding[];
  readonly report: Report;
  /** In the place of `compileExpression`: for who compiles the same again and again. */
  readonly expression?: (source: string) => Expression;
  /** What steps do is recorded, where the trace of a message is. */
  readonly traced?: boolean;
  /** Told of every step that is compiled; what it returns is called whenever the step runs. */
  readonly watch?: (step: StepSource) => () => void;
}

/** Turns a read integration into handlers. Pure: no network, no files, no clock; problems are reported, not thrown. */
export function compile(source: IntegrationSource, tools: CompileTools): Program {
  return new Compiler(source, tools).program();
}

class Compiler {
  readonly #source: IntegrationSource;
  readonly #tools: CompileTools;
  readonly #definitions: ReadonlyMap<string, StepDefinition>;
  readonly #endpoints: ReadonlyMap<string, EndpointSlot>;
  readonly #references: ReadonlyMap<string, EndpointReference>;
  readonly #flows = new Map<string, FlowProgram>();
  readonly #laters: LaterProgram[] = [];
  readonly #modules: ModuleSlot[] = [];
  readonly #store: StoreSlot = { needed: false, store: undefined };
  /** Flows being compiled, outermost first: one that runs itself is found by it. */
  readonly #underWay: string[] = [];
  readonly #run = new Set<string>();
  readonly #errorCodes: ReadonlySet<string> | undefined;

  constructor(source: IntegrationSource, tools: CompileTools) {
    this.#source = source;
    this.#tools = tools;
    this.#definitions = new Map(tools.steps.map((step) => [step.name, step]));
    this.#errorCodes = ownErrorCodes(source);
    const slots = Object.values(source.endpoints).map((endpoint): [string, EndpointSlot] => [
      endpoint.name,
      {
        source: endpoint,
        handler: () => Promise.reject(failure('bug', { detail: `the endpoint ${endpoint.name} is not open` })),
      },
    ]);
    this.#endpoints = new Map(slots);
    this.#references = new Map(slots.map(([name, slot]) => [name, this.#reference(slot)]));
  }

  program(): Program {
    for (const flow of Object.values(this.#source.flows)) this.#flow(flow);
    const { report, connectors } = this.#tools;
    checkSubFlows(this.#source, this.#run, report);
    checkMeetings(this.#source, connectors, report);
    checkClaims(this.#source, connectors, report);
    checkPolicies(this.#source, connectors, report);
    checkSettlement(this.#source, connectors, report);
    checkEvents(this.#source, connectors, report);
    checkSources(this.#source, connectors, report);
    const jsonSchema = remembering(this.#tools.jsonSchema);
    checkBrought(this.#source, connectors, jsonSchema, report);
    return {
      source: this.#source,
      flows: this.#flows,
      laters: this.#laters,
      endpoints: this.#endpoints,
      modules: this.#modules,
      store: this.#store,
      jsonSchema,
    };
  }

  #reference(slot: EndpointSlot): EndpointReference {
    const { options } = slot.source.connector;
    const definition = this.#tools.connectors[slot.source.connector.name];
    const idempotent = (operation: unknown): boolean => definition?.idempotent?.(operation, options) ?? false;
    return {
      name: slot.source.name,
      connector: slot.source.connector.name,
      replies: definition?.replies ?? false,
      safe: (operation) => definition?.safe?.(operation, options) ?? false,
      idempotent,
      repeatable: (operation) => isRepeatable(operation) || idempotent(operation),
      needs: definition?.call?.required ?? [],
      lacks: (call) => definition?.lacks?.(options, call) ?? [],
      checkCall: (call, report) => definition?.checkCall?.(options, call, report),
      repeats: (slot.source.policies as PolicyOptions).retry !== undefined,
      events: slot.source.events as EndpointReference['events'],
      handler: sendingEvents(slot.source, this.#source.name, this.#tools.connectors, (exchange) =>
        slot.handler(exchange),
      ),
    };
  }

  #flow(flow: FlowSource): FlowProgram {
    const done = this.#flows.get(flow.name);
    if (done) return done;
    this.#underWay.push(flow.name);
    const definition = flow.from && this.#tools.connectors[flow.from.name];
    const awaited = !flow.from || saysSo(definition?.awaitsReply, flow.from.options);
    if (flow.from && definition?.queues?.(flow.from.options)) this.#store.needed = true;
    const body = new FirstBody();
    const durable = { is: flow.durable === true };
    const laters: LaterSource[] = [];
    const world = this.#world(flow, body, durable, laters);
    const open = opener(flow, this.#tools.connectors);
    const given = [...everywhere, ...variablesOf(flow, definition)];
    const place: Place = {
      names: new Names(given),
      error: false,
      undoWanted: false,
      among: 'flow',
      reply: awaited ? { possible: true } : { possible: false, why: unanswered(flow.from?.name, definition) },
    };
    // A copy: what steps behind one cannot answer, `onError` can.
    const context = new StepContext(world, { ...place }, `${flow.pointer}/onError`, 'onError');
    const entries = flow.onError;
    const compileMain = (): Compiled => {
      if (open) body.look();
      const main = this.#steps(world, flow.steps, place);
      if (awaited && !main.ends) body.take();
      return main;
    };
    const [main, onError] = body.attempt(compileMain, entries && (() => compileCatch(entries, context, '')), false);
    const settlement = settles(flow.from, definition)
      ? compileSettlement(flow, (at, error) => {
          const names = new Names(given);
          const mine = worldOfStep(world, `${flow.name}/${at}`);
          return new StepContext(mine, { ...place, names, error }, `${flow.pointer}/${at}`, at);
        })
      : undefined;
    const program: FlowProgram = {
      name: flow.name,
      source: flow,
      handler: overEvents(open, main.handler, onError),
      durable: durable.is,
      // What is kept in the journal, and what may come again or become a dead letter, is the whole message.
      streams: body.streams && !durable.is && !settlement,
      settlement: settlement && {
        orderBy: evaluatedOver(open, settlement.orderBy),
        deadLetter: lettersOver(open, settlement.deadLetter),
      },
    };
    for (const { identity, rest, later } of laters) {
      const guarded = withErrors((exchange) => rest(exchange.with({ flow: flow.name })), onError);
      const handler: Handler = async (exchange) => {
        later.begin?.(exchange.id);
        return guarded(exchange);
      };
      const own = { orderBy: undefined, deadLetter: settlement?.deadLetter };
      // What goes on is whole, and comes from the store.
      this.#laters.push({ flow: { ...program, name: identity, handler, streams: false, settlement: own }, later });
    }
    this.#underWay.pop();
    this.#flows.set(flow.name, program);
    return program;
  }

  #world(flow: FlowSource, body: FirstBody, durable: { is: boolean }, laters: LaterSource[]): FlowWorld {
    const makeDurable = (): void => {
      durable.is = true;
    };
    const counts = new Map<string, number>();
    const world: FlowWorld = {
      expression: this.#tools.expression ?? compileExpression,
      flow: flow.name,
      identify: (kind) => {
        const nth = (counts.get(kind) ?? 0) + 1;
        counts.set(kind, nth);
        return `${flow.name}/${kind}/${nth}`;
      },
      body,
      report: this.#tools.report,
      config: this.#source.config,
      secretNames: this.#source.secretNames,
      params: flow.from && this.#tools.connectors[flow.from.name]?.params?.(flow.from.options),
      declaredFields: () => declaredFields(flow, flow.from && this.#tools.connectors[flow.from.name]),
      givenNames: givenNames(flow),
      errorCodes: this.#errorCodes,
      endpoint: (name) => this.#references.get(name),
      endpointNames: [...this.#references.keys()],
      flowHandler: (name, pointer) => {
        const handler = this.#flowHandler(name, pointer);
        if (this.#flows.get(name)?.durable) makeDurable();
        return handler;
      },
      store: () => this.#useStore(),
      makeDurable,
      hasSource: flow.from !== undefined,
      later: (later) => void laters.push(later),
      module: (path, exportName, pointer) => this.#module(path, exportName, pointer),
      jsonSchema: this.#tools.jsonSchema,
      steps: (list, place) => this.#steps(world, list, place),
    };
    return world;
  }

  #steps(world: FlowWorld, list: readonly StepSource[], place: Place): Compiled {
    const compiledSteps: Step[] = [];
    let ends = false;
    let told = false;
    for (const step of list) {
      if (ends && !told) {
        told = true;
        world.report({
          severity: 'error',
          code: 'unreachable',
          at: 'key',
          message:
            'This step can never run: the one before it always ends the flow. Move it up, or put a `when` on that one',
          pointer: step.pointer,
        });
      }
      const compiled = step.when
        ? world.body.alternatives([() => this.#step(world, step, place), () => undefined])[0]
        : this.#step(world, step, place);
      if (!compiled) continue;
      compiledSteps.push(compiled);
      ends ||= compiled.ends;
      if ('around' in compiled && !compiled.mayBeLast && step === list.at(-1)) {
        world.report({
          severity: 'warning',
          code: 'guards-nothing',
          at: 'key',
          message: `\`${step.kind}\` is there for what follows it, and nothing does: move it up`,
          pointer: `${step.pointer}/${step.kind}`,
        });
      }
    }
    return { handler: joined(compiledSteps), ends };
  }

  #step(world: FlowWorld, step: StepSource, place: Place): Step | undefined {
    const definition = this.#definitions.get(step.kind);
    if (!definition) return undefined;
    const title = step.name ?? step.kind;
    const at = placeOf(step);
    const mine = worldOfStep(world, at);
    const context = new StepContext(mine, place, `${step.pointer}/${step.kind}`, title, world.identify(step.kind));
    const onlyWhen = step.when && new StepContext(world, place, step.pointer, 'when').expression(step.when);
    const compiled = definition.compile(step.options as never, context);
    const facts = { title, kind: step.kind, place: at };
    const seen = (handler: Handler): Handler =>
      this.#tools.traced ? spanned(observe(handler, at), facts) : observe(handler, at);
    const ran = this.#tools.watch?.(step);
    if ('around' in compiled) {
      const { mayBeLast } = compiled;
      const around: Surrounding['around'] = ran ? (rest) => told(ran, compiled.around(rest)) : compiled.around;
      return {
        around: surrounding({ around }, onlyWhen, at, seen),
        ends: false,
        ...(mayBeLast ? { mayBeLast } : {}),
      };
    }
    const { handler, ends } = typeof compiled === 'function' ? { handler: compiled, ends: false } : compiled;
    const observed = seen(ran ? told(ran, handler) : handler);
    if (!onlyWhen) return { handler: observed, ends };
    return {
      handler: observe(async (exchange) => ((await onlyWhen(exchange)) === true ? observed(exchange) : exchange), at),
      ends: false,
    };
  }

  #flowHandler(name: string, pointer: string): Handler | undefined {
    const flow = this.#source.flows[name];
    const report = (code: string, message: string, suggestion?: string): undefined => {
      this.#tools.report({ severity: 'error', code, message, pointer, name, ...(suggestion ? { suggestion } : {}) });
      return undefined;
    };
    if (!flow) {
      const subFlows = Object.values(this.#source.flows).filter((one) => !one.from);
      const suggestion = nearest(
        name,
        subFlows.map((one) => one.name),
      );
      // Whoever misspells a flow runs it.
      if (suggestion) this.#run.add(suggestion);
      return report(
        'unknown-flow',
        `There is no flow \`${name}\`${suggestion ? `; did you mean \`${suggestion}\`?` : ': write it under `flows:`, without `from`'}`,
        suggestion,
      );
    }
    if (flow.from) {
      return report('not-a-sub-flow', `\`${name}\` has a \`from\` of its own: \`run\` takes flows without one`);
    }
    const at = this.#underWay.indexOf(name);
    this.#run.add(name);
    if (at >= 0) {
      const circle = [...this.#underWay.slice(at), name].map((one) => `\`${one}\``);
      const who =
        circle.length === 2
          ? `The flow ${circle[0]} runs itself without an end`
          : `These flows run each other without an end: ${circle.join(' → ')}`;
      return report('circular-run', `${who}. Use \`loop\` to repeat steps`);
    }
    return subFlow(this.#flow(flow), pointer);
  }

  #useStore(): () => Store {
    this.#store.needed = true;
    return () => {
      if (!this.#store.store) throw failure('bug', { detail: 'the store is not open' });
      return this.#store.store;
    };
  }

  #module(path: string, exportName: string, pointer: string): () => (...args: readonly unknown[]) => unknown {
    const slot: ModuleSlot = {
      path,
      exportName,
      pointer,
      run: () => {
        throw failure('bug', { detail: `the module ${path} is not loaded` });
      },
    };
    this.#modules.push(slot);
    return () => slot.run;
  }
}

/** What an expression sees of a message besides what every one has. */
function variablesOf({ from, events }: FlowSource, definition: ConnectorDefinition | undefined): readonly string[] {
  if (!from) return ['params', 'query', 'identity', 'event'];
  const { provides = [] } = definition ?? {};
  const given = typeof provides === 'function' ? provides(from.options) : provides;
  return [...given, ...(events === undefined ? [] : ['event'])];
}

/** Why `respond` is not possible. */
const unanswered = (name: string | undefined, definition: ConnectorDefinition | undefined): string =>
  definition?.unanswered ?? `\`${name}\` sends no answers`;

/** How logs and errors call the place of a step: `place-order/steps/3 "Charge the card"`. */
function placeOf(step: StepSource): string {
  const path = step.pointer
    .replace(/^\/flows\//, '')
    .replaceAll('~1', '/')
    .replaceAll('~0', '~');
  return step.name === undefined ? `${path} ${step.kind}` : `${path} "${step.name}"`;
}
