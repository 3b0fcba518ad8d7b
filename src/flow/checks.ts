/** What only the whole integration can tell: who meets whom, and who stands in whose way. */
import type { FlowSource, IntegrationSource, Report } from '../core/written.ts';
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
      message: `Nothing runs the flow \`${flow.name}\`: it has no \`from\`, and no \`run\` names it`,
      pointer: flow.pointer,
    });
  }
}

/** Endpoints that reach a source in this process need one that meets them: a channel that nobody reads. */
export function checkMeetings(source: IntegrationSource, connectors: Definitions, report: Report): void {
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
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { kind, options } = value as { readonly kind?: unknown; readonly options?: { readonly code?: unknown } };
    if (kind === 'script') open = true;
    if (kind === 'fail' && typeof options?.code === 'string') codes.add(options.code);
    for (const inner of Object.values(value)) visit(inner);
  };
  visit(source.flows);
  return open ? undefined : codes;
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
