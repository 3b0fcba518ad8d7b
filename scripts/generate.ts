/** `npm run generate`: the editor's schema, the reference pages and the dashboard. With `--check`: are they what they should be? */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectorDefinitions } from '../connectors/index.ts';
import { composeIntegrationSchema, composeSchema } from '../src/schema/compose.ts';
import { steps } from '../src/steps/index.ts';
import { testFileSchema } from '../src/testing/language.ts';
import { dashboard } from './dashboard.ts';
import { referencePages } from './reference.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const kinds = { steps, connectors: connectorDefinitions };
const reference = 'docs/reference';

const files: Readonly<Record<string, string>> = {
  'schemas/integration.schema.json': `${JSON.stringify(composeIntegrationSchema(kinds), null, 2)}\n`,
  'schemas/test.schema.json': `${JSON.stringify(composeSchema('Dowel tests', testFileSchema), null, 2)}\n`,
  'docs/grafana/dowel.json': `${JSON.stringify(dashboard(), null, 2)}\n`,
  ...Object.fromEntries(Object.entries(referencePages(kinds)).map(([name, text]) => [join(reference, name), text])),
};

function current(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return undefined;
  }
}

function pagesThere(): readonly string[] {
  try {
    return readdirSync(join(root, reference)).map((name) => join(reference, name));
  } catch {
    return [];
  }
}

const stale = Object.entries(files).filter(([path, text]) => current(path) !== text);
const left = pagesThere().filter((path) => !Object.hasOwn(files, path));

if (process.argv.includes('--check')) {
  for (const [path] of stale) process.stderr.write(`${path} is not up to date\n`);
  for (const path of left) process.stderr.write(`${path} is not generated any more\n`);
  if (stale.length + left.length > 0) {
    process.stderr.write('Run `npm run generate` and commit what it changes.\n');
    process.exitCode = 1;
  }
} else {
  for (const [path, text] of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    process.stdout.write(`${path}\n`);
  }
  for (const path of left) rmSync(join(root, path));
}
