import { connectorDefinitions } from '../../connectors/index.ts';
import { composeIntegrationSchema, composeSchema } from '../schema/compose.ts';
import { steps } from '../steps/index.ts';
import { testFileSchema } from '../testing/language.ts';
import { exitCode } from './exit-codes.ts';
import { print } from './output.ts';
import { parse } from './usage.ts';

const usage = `
dowel schema > integration.schema.json
dowel schema --tests > test.schema.json

Prints the JSON Schema of the language, or of that of tests, for editors. The first line of a file tells them where it
is:
# yaml-language-server: $schema=./integration.schema.json
`;

export async function command(args: readonly string[]): Promise<number> {
  const parsed = parse(args, {
    text: usage,
    options: { tests: { type: 'boolean', default: false } },
    positionals: { min: 0, max: 0 },
  });
  if (!parsed) return exitCode.done;
  print(parsed.values.tests ? testEditorSchema() : editorSchema());
  return exitCode.done;
}

/** What editors read, as text. */
export const editorSchema = (): string =>
  `${JSON.stringify(composeIntegrationSchema({ steps, connectors: connectorDefinitions }), null, 2)}\n`;

/** The same for tests. */
export const testEditorSchema = (): string =>
  `${JSON.stringify(composeSchema('Dowel tests', testFileSchema), null, 2)}\n`;
