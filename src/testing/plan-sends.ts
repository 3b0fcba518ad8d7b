import { readFileSync } from 'node:fs';
import type { Identity } from '../core/identity.ts';
import type { FlowSource, Report } from '../core/written.ts';
import { listed } from '../schema/wording.ts';
import type { SendSource, TestSource } from './language.ts';
import type { PlanWorld } from './plan.ts';
import { unknownName } from './unknown-name.ts';

/** A message, or time that passes. */
export interface SendPlan {
  readonly pointer: string;
  /** `undefined`: only time passes. */
  readonly flow: string | undefined;
  /** Milliseconds that pass before. */
  readonly advance: number;
  readonly parallel: boolean;
  /** What comes over the wire, or a value that is written by the content type. */
  readonly body: { readonly bytes: Uint8Array | string } | { readonly value: unknown } | undefined;
  readonly contentType: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  readonly source: Readonly<Record<string, unknown>>;
  readonly identity: Identity | undefined;
  readonly attempt: number;
}

const bodies = ['body', 'text', 'bytes', 'file'] as const;
const ofMessages = [...bodies, 'contentType', 'headers', 'params', 'query', 'identity', 'source'] as const;

export function planSends(send: TestSource['send'], pointer: string, world: PlanWorld): readonly SendPlan[] {
  if (!isList(send)) return [planSend(send, pointer, world)];
  return send.map((one, index) => planSend(one, `${pointer}/${index}`, world));
}

export const isList = (send: TestSource['send']): send is readonly SendSource[] => Array.isArray(send);

function planSend(send: SendSource, pointer: string, world: PlanWorld): SendPlan {
  checkFlow(send, pointer, world);
  checkBody(send, pointer, world.report);
  checkIdentity(send, pointer, world);
  const { flow, advance = 0, parallel, contentType, attempt } = send;
  const params = texts(send.params, `${pointer}/params`, world.report) as Record<string, string>;
  if (flow !== undefined) checkParams(world.integration.flows[flow], params, pointer, world);
  const headers = texts(send.headers, `${pointer}/headers`, world.report);
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    pointer,
    flow,
    advance,
    parallel,
    body: bodyOf(send),
    contentType: contentType ?? textOf(lower['content-type']),
    headers: lower,
    params,
    query: texts(send.query, `${pointer}/query`, world.report),
    source: (send.source ?? {}) as SendPlan['source'],
    identity: send.identity && identityOf(send.identity, world.integration.flows[flow ?? '']),
    attempt,
  };
}

const textOf = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.[0];

function bodyOf({ body, text, bytes, file }: SendSource): SendPlan['body'] {
  if (body !== undefined) return { value: body };
  if (text !== undefined) return { bytes: text };
  if (bytes !== undefined) return { bytes: Buffer.from(bytes, 'base64') };
  return file?.path ? { bytes: readFileSync(file.path) } : undefined;
}

function checkFlow(send: SendSource, pointer: string, { integration, report }: PlanWorld): void {
  const { flow } = send;
  if (flow !== undefined) {
    const known = Object.keys(integration.flows);
    if (!known.includes(flow)) report(unknownName('flow', flow, known, `${pointer}/flow`, 'value'));
    return;
  }
  const told = ofMessages.find((key) => send[key] !== undefined);
  if (told === undefined && send.advance !== undefined) return;
  const message = `\`flow\` is missing here: the name of the flow that gets the message${told === undefined ? ', or `advance` alone for time that passes' : ''}`;
  report({ severity: 'error', code: 'missing-key', at: 'key', pointer, message });
}

function checkBody(send: SendSource, pointer: string, report: Report): void {
  const given = bodies.filter((key) => send[key] !== undefined);
  const [, second] = given;
  if (second !== undefined) {
    const message = `Only one of ${listed(given, 'and')} may stand here`;
    report({ severity: 'error', code: 'two-kinds', at: 'key', pointer: `${pointer}/${second}`, message });
  }
  if (send.bytes !== undefined && !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(send.bytes)) {
    const message = '`bytes` must be base64. Text stands under `text`';
    report({ severity: 'error', code: 'wrong-value', pointer: `${pointer}/bytes`, message });
  }
}

/** Which scheme, the source decides where nothing is said. */
function identityOf(stated: NonNullable<SendSource['identity']>, flow: FlowSource | undefined): Identity {
  const { scheme, scopes = [], claims = {}, ...rest } = stated;
  return { scheme: scheme ?? (flow?.from ? '' : 'jwt'), ...rest, scopes, claims: claims as Identity['claims'] };
}

/** A source that asks nobody who they are knows no one. */
function checkIdentity(
  { flow: name, identity }: SendSource,
  pointer: string,
  { integration, connectors, report }: PlanWorld,
): void {
  const from = name === undefined ? undefined : integration.flows[name]?.from;
  if (identity === undefined || !from) return;
  const { provides = [] } = connectors[from.name] ?? {};
  const given = typeof provides === 'function' ? provides(from.options) : provides;
  if (given.includes('identity')) return;
  const message = `The source of \`${name}\` asks nobody who they are: it has no \`auth\`, and its messages no \`$identity\``;
  report({ severity: 'error', code: 'no-identity', at: 'key', pointer: `${pointer}/identity`, message });
}

/** A request that leaves a parameter of the path open cannot come. */
function checkParams(
  flow: FlowSource | undefined,
  params: Readonly<Record<string, unknown>>,
  pointer: string,
  { connectors, report }: PlanWorld,
): void {
  const known = flow?.from && connectors[flow.from.name]?.params?.(flow.from.options);
  if (!known) return;
  const strange = Object.keys(params).filter((name) => !known.includes(name));
  for (const name of strange) report(unknownName('parameter', name, known, `${pointer}/params/${name}`, 'key'));
  // It was meant to be one of those that are missing.
  if (strange.length > 0) return;
  for (const name of known) {
    if (Object.hasOwn(params, name)) continue;
    const message = `The path of \`${flow?.name}\` has the parameter \`${name}\`: write \`params: { ${name}: … }\``;
    report({ severity: 'error', code: 'missing-key', at: 'key', pointer, message });
  }
}

/** As they come over the wire: numbers and booleans are written as text. */
function texts(
  values: Readonly<Record<string, unknown>> | undefined,
  pointer: string,
  report: Report,
): Readonly<Record<string, string | readonly string[]>> {
  const read = (value: unknown, at: string): string => {
    if (typeof value === 'string') return value;
    if (typeof value !== 'object') return String(value);
    report({ severity: 'error', code: 'wrong-type', pointer: at, message: 'This must be text, or a list of texts' });
    return '';
  };
  return Object.fromEntries(
    Object.entries(values ?? {}).map(([name, value]) => {
      const at = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      return [name, Array.isArray(value) ? value.map((one) => read(one, at)) : read(value, at)];
    }),
  );
}
