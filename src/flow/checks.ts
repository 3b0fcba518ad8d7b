/** What only the whole integration can tell: who meets whom, and who stands in whose way. */
import { type FlowSource, type IntegrationSource, type Report, TemplateSource } from '../core/written.ts';
import { errorNames } from '../errors.ts';
import { nearest } from '../schema/nearest.ts';
import type { ConnectorDefinition } from '../sdk.ts';

type Definitions = Readonly<Record<string, ConnectorDefinition>>;

/** Sub-flows that no `run` names. */
export function checkSubFlows(source: IntegrationSource, run: ReadonlySet<string>, report: Report): void {
  for (const flow of Object.values(source.flows)) {
    if (flow.from || run.has(flow.name)) continue;
    report({
      severity: 'warning',
      code: 'unused-flow',
      at: 'key',
      name: flow.name,
      message: `Nothing runs the flow \`${flow.name}\`: it has no \`from\`, and no \`run\` names it`,
      pointer: flow.pointer,
    });
  }
}

/** Sources that keep messages in the store need one that keeps; those that meet in the same place must agree on where they wait. */
function checkQueues(source: IntegrationSource, connectors: Definitions, report: Report): void {
  const first = new Map<string, FlowSource>();
  const forgets = typeof source.store === 'object' && source.store !== null && 'memory' in source.store;
  for (const flow of Object.values(source.flows)) {
    const { from } = flow;
    const definition = from && connectors[from.name];
    if (!from || !definition?.queues) continue;
    if (forgets && definition.queues(from.options)) {
      report({
        severity: 'warning',
        code: 'forgets',
        at: 'key',
        message:
          'Its messages wait in the store, and `store: memory` forgets them when the process ends: only tests can do with that',
        pointer: from.pointer,
      });
    }
    if (!definition.meetsAt) continue;
    const place = `${from.name} \`${definition.meetsAt(from.options)}\``;
    const other = first.get(place);
    first.set(place, other ?? flow);
    if (!other?.from || definition.queues(other.from.options) === definition.queues(from.options)) continue;
    report({
      severity: 'error',
      code: 'mixed-durability',
      message: `The flow \`${other.name}\` reads the ${place} too, and only one of both says \`durable: true\`: say it at both, or at neither`,
      pointer: `${from.pointer}/durable`,
    });
  }
}

/** Endpoints that reach a source in this process need one that meets them: a channel that nobody reads. */
export function checkMeetings(source: IntegrationSource, connectors: Definitions, report: Report): void {
  checkQueues(source, connectors, report);
  const met = new Set<string>();
  for (const { from } of Object.values(source.flows)) {
    const at = from && connectors[from.name]?.meetsAt;
    if (from && at) met.add(`${from.name} ${at(from.options)}`);
  }
  for (const endpoint of Object.values(source.endpoints)) {
    const { name, options, pointer } = endpoint.connector;
    const at = connectors[name]?.meetsAt;
    if (!at || met.has(`${name} ${at(options)}`)) continue;
    const candidates = [...met].filter((one) => one.startsWith(`${name} `)).map((one) => one.slice(name.length + 1));
    const suggestion = nearest(at(options), candidates);
    const hint = suggestion
      ? `; did you mean \`${suggestion}\`?`
      : `: give a flow \`from: { ${name}: { name: ${at(options)} } }\``;
    report({
      severity: 'error',
      code: 'nobody-reads',
      message: `Nobody reads the ${name} \`${at(options)}\`${hint}`,
      pointer: `${pointer}/name`,
      suggestion,
    });
  }
}

/** Sources that want what only one can have: two flows for one method and path. */
export function checkClaims(source: IntegrationSource, connectors: Definitions, report: Report): void {
  const owners = new Map<string, FlowSource>();
  for (const flow of Object.values(source.flows)) {
    const { from } = flow;
    const claims = (from && connectors[from.name]?.claims?.(from.options)) ?? [];
    for (const claim of claims) {
      const owner = owners.get(claim);
      owners.set(claim, owner ?? flow);
      if (!from || !owner || owner === flow) continue;
      report({
        severity: 'error',
        code: 'already-taken',
        at: 'key',
        message: `The flow \`${owner.name}\` takes ${claim} already`,
        pointer: from.pointer,
      });
      break;
    }
  }
}

/** Codes of `fail` steps; `undefined` where a script may throw any code. */
export function ownErrorCodes(source: IntegrationSource): ReadonlySet<string> | undefined {
  const codes = new Set<string>();
  let open = false;
  eachMap(source.flows, ({ kind, options }) => {
    if (kind === 'script') open = true;
    const code = kind === 'fail' ? (options as { readonly code?: unknown }).code : undefined;
    if (typeof code === 'string') codes.add(code);
  });
  return open ? undefined : codes;
}

/** Every name that a step of the flow gives a result. */
export function givenNames(flow: FlowSource): ReadonlySet<string> {
  const names = new Set<string>();
  eachMap(flow, ({ as, into, variables }) => {
    for (const name of [as, into]) if (typeof name === 'string') names.add(name);
    const set = variables instanceof TemplateSource ? variables.value : undefined;
    for (const name of typeof set === 'object' && set !== null ? Object.keys(set) : []) names.add(name);
  });
  return names;
}

/** Every field that a JSON Schema in the flow, or one that its source brings along, declares, however deep. */
export function declaredFields(flow: FlowSource, source?: ConnectorDefinition): ReadonlySet<string> {
  const fields = new Set<string>();
  const declare = (schema: unknown): void =>
    eachMap(schema, ({ properties }) => {
      if (typeof properties !== 'object' || properties === null) return;
      for (const name of Object.keys(properties)) fields.add(name);
    });
  declare(flow.from && source?.schemas?.(flow.from.options, 'source'));
  eachMap(flow, ({ kind, options }) => {
    const schema = kind === 'validate' ? (options as { readonly schema?: unknown }).schema : undefined;
    const text = (schema as { readonly text?: unknown } | undefined)?.text;
    declare(typeof text === 'string' ? jsonOf(text) : schema);
  });
  return fields;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // `validate` says so
  }
}

/** Visits every map in what was read. */
export function eachMap(value: unknown, visit: (map: Readonly<Record<string, unknown>>) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) visit(value as Readonly<Record<string, unknown>>);
  for (const inner of Object.values(value)) eachMap(inner, visit);
}

/** What is wrong with an entry of `on`, if anything. */
export function selectorProblem(
  selector: string,
  own: ReadonlySet<string> | undefined,
): { readonly message: string; readonly suggestion: string | undefined } | undefined {
  const isStatus = /^http-[1-5](\d\d|xx)$/.test(selector);
  if (own === undefined || isStatus || own.has(selector) || errorNames.has(selector)) return undefined;
  const suggestion = nearest(selector, [...own, ...errorNames]);
  const hint = suggestion ? `; did you mean \`${suggestion}\`?` : ', and no `fail` step gives it: this never matches';
  return { message: `No error has the code \`${selector}\`${hint}`, suggestion };
}
