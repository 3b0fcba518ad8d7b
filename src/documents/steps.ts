/** What a flow says of its messages without being run. */
import { basename } from 'node:path';
import { type FileSource, type FlowSource, type StepSource, TemplateSource } from '../core/written.ts';

type Json = Readonly<Record<string, unknown>>;

/** Every step of the flow, however deep. */
export function stepsIn(value: unknown): readonly StepSource[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = isStep(value) ? [value] : [];
  return [...own, ...Object.values(value).flatMap(stepsIn)];
}

function isStep(value: object): value is StepSource {
  const { kind, options, pointer } = value as Partial<StepSource>;
  return typeof kind === 'string' && typeof pointer === 'string' && typeof options === 'object';
}

/** These let a message pass as it came. */
const passing: ReadonlySet<string> = new Set(['log', 'idempotent', 'throttle', 'wireTap', 'sample']);

export interface HeadSchema {
  /** Where it comes from: two flows may use the same file. */
  readonly key: string;
  /** What it may be called. */
  readonly name: string | undefined;
  readonly schema: unknown;
}

/** The JSON Schema that every message of the flow is held against before anything else happens to it. */
export function headSchema(flow: FlowSource): HeadSchema | undefined {
  for (const { kind, options, when, pointer } of flow.steps) {
    if (kind === 'validate' && !when) return schemaOf((options as { readonly schema?: unknown }).schema, pointer);
    if (!passing.has(kind)) return undefined;
  }
  return undefined;
}

function schemaOf(written: unknown, pointer: string): HeadSchema | undefined {
  const { path, text } = (written ?? {}) as Partial<FileSource>;
  if (typeof path !== 'string' || typeof text !== 'string') return { key: pointer, name: undefined, schema: written };
  try {
    return { key: path, name: basename(path).replace(/(\.schema)?\.\w+$/, ''), schema: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** What the flow answers by itself, as far as it stands in the file: the first answer of each status. */
export function answersOf(flow: FlowSource): ReadonlyMap<number, unknown> {
  const answers = new Map<number, unknown>();
  for (const { kind, options } of stepsIn([flow.steps, flow.onError])) {
    if (kind !== 'respond') continue;
    const { status, body } = options as Json;
    const number = Number(writtenIn(status) ?? 200);
    if (Number.isInteger(number) && !answers.has(number)) answers.set(number, writtenIn(body));
  }
  return new Map([...answers].sort(([a], [b]) => a - b));
}

/** As JSON Schema what is known of a value before its holes are filled. */
export function shapeOf(written: unknown): Json {
  if (Array.isArray(written)) return { type: 'array' };
  if (typeof written === 'object' && written !== null) {
    const properties = Object.entries(written).map(([name, one]) => [name, shapeOf(one)]);
    return { type: 'object', properties: Object.fromEntries(properties) };
  }
  if (typeof written !== 'string') return written === null ? {} : { type: typeof written };
  return isOneHole(written) ? {} : { type: 'string' };
}

/** It may yield anything. */
export const isOneHole = (text: string): boolean => /^\s*\$\{\{(?:(?!\}\})[\s\S])*\}\}\s*$/.test(text);

/** What a template says where it has no hole; else its text. */
export const writtenIn = (option: unknown): unknown => (option instanceof TemplateSource ? option.value : option);
