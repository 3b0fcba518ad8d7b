/** What contracts bring along: schemas that have to compile, and calls that have to fit. */
import type { IntegrationSource, Report } from '../core/written.ts';
import { detailOf } from '../errors.ts';
import type { ConnectorDefinition, Slot } from '../sdk.ts';
import type { SchemaFinding } from '../steps/step.ts';

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
  const check = (name: string, options: unknown, pointer: string, slot: Slot): void => {
    for (const { schema, at, title } of connectors[name]?.schemas?.(options, slot) ?? []) {
      try {
        jsonSchema(schema);
      } catch (thrown) {
        const message = `The schema of ${title} cannot be used: ${detailOf(thrown)}`;
        report({ severity: 'error', code: 'bad-schema', message, pointer: `${pointer}/${at}` });
      }
    }
  };
  for (const { from } of Object.values(source.flows)) if (from) check(from.name, from.options, from.pointer, 'source');
  for (const { connector } of Object.values(source.endpoints)) {
    check(connector.name, connector.options, connector.pointer, 'endpoint');
  }
}
