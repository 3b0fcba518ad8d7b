/** What contracts bring along: schemas that have to compile, and promises that the integration should keep. */
import type { ConnectorSource, IntegrationSource, Report } from '../core/written.ts';
import { detailOf } from '../errors.ts';
import type { ConnectorDefinition, Slot } from '../sdk.ts';
import { writtenCall } from '../steps/parts/outgoing.ts';
import type { SchemaFinding, WrittenCall } from '../steps/step.ts';
import { eachMap } from './checks.ts';
import { unheard } from './unheard.ts';

type JsonSchema = (schema: unknown) => (value: unknown) => readonly SchemaFinding[];

/** Every schema is compiled once, for checking it and for the messages. */
export function remembering(compile: JsonSchema): JsonSchema {
  const known = new Map<string, ReturnType<JsonSchema>>();
  return (schema) => {
    const key = JSON.stringify(schema);
    const check = known.get(key) ?? compile(schema);
    known.set(key, check);
    return check;
  };
}

export function checkBrought(
  source: IntegrationSource,
  connectors: Readonly<Record<string, ConnectorDefinition>>,
  jsonSchema: JsonSchema,
  report: Report,
): void {
  if (report === unheard) return;
  const kinds = new Set<unknown>();
  const calls = new Map<string, WrittenCall[]>();
  eachMap(Object.values(source.flows), ({ kind, options }) => {
    kinds.add(kind);
    if ((kind !== 'call' && kind !== 'send') || typeof options !== 'object' || options === null) return;
    const { endpoint, ...call } = options as Parameters<typeof writtenCall>[0] & { readonly endpoint?: unknown };
    if (typeof endpoint === 'string') calls.set(endpoint, [...(calls.get(endpoint) ?? []), writtenCall(call)]);
  });
  const check = ({ name, options, pointer }: ConnectorSource, slot: Slot, called: readonly WrittenCall[]): void => {
    for (const { at, settledBy, ...doubt } of connectors[name]?.doubts?.(options, called, slot) ?? []) {
      if (settledBy !== undefined && kinds.has(settledBy)) continue;
      report({ severity: 'warning', ...doubt, pointer: `${pointer}/${at}` });
    }
    for (const { schema, at, title } of connectors[name]?.schemas?.(options, slot) ?? []) {
      try {
        jsonSchema(schema);
      } catch (thrown) {
        const message = `The schema of ${title} cannot be used: ${detailOf(thrown)}`;
        report({ severity: 'error', code: 'bad-schema', message, pointer: `${pointer}/${at}` });
      }
    }
  };
  for (const { from } of Object.values(source.flows)) if (from) check(from, 'source', []);
  for (const { name, connector } of Object.values(source.endpoints)) {
    check(connector, 'endpoint', calls.get(name) ?? []);
  }
}
