import { existsSync, statSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import type { Diagnostic } from '../integration/diagnostic.ts';
import { type Checked, renderGithub, renderJson, renderSarif, renderText } from '../integration/render.ts';
import { jsonSchemas } from '../schema/validator.ts';
import { isTestFile } from '../testing/test-file.ts';
import { exitCode } from './exit-codes.ts';
import { colorful, print } from './output.ts';
import { prepare } from './prepare.ts';
import { parse, UsageError } from './usage.ts';
import { version } from './version.ts';

const usage = `
dowel validate FILE… [--format text|json|sarif|github] [--strict]

Checks definitions without running them: no network, no credentials; values of \`config\` need not be set. FILE may be
a pattern in quotes: 'integrations/**/integration.yaml'. Files of tests (*.test.yaml) are checked too, not run.

  --strict   warnings count as errors

Exit codes: 0 nothing wrong (there may be warnings); 1 errors; 2 a file does not exist.
`;

const formats = ['text', 'json', 'sarif', 'github'] as const;
type FormatName = (typeof formats)[number];

export async function command(args: readonly string[]): Promise<number> {
  const parsed = parse(args, {
    text: usage,
    options: { format: { type: 'string', short: 'f', default: 'text' }, strict: { type: 'boolean', default: false } },
    positionals: { min: 1, max: Number.POSITIVE_INFINITY },
  });
  if (!parsed) return exitCode.done;
  const format = parsed.values.format as FormatName;
  if (!formats.includes(format)) throw new UsageError(`--format takes ${formats.join(', ')}, not ${format}`);

  const files = await expand(parsed.positionals);
  const checked: Checked[] = [];
  const jsonSchema = jsonSchemas();
  for (const file of files) {
    checked.push(
      ...(isTestFile(file) ? await checkTests(file, jsonSchema) : [await checkIntegration(file, jsonSchema)]),
    );
  }
  print(render(format, checked));
  const counts = (one: Diagnostic): boolean => one.severity === 'error' || parsed.values.strict;
  return checked.some((one) => one.diagnostics.some(counts)) ? exitCode.findings : exitCode.done;
}

type JsonSchema = ReturnType<typeof jsonSchemas>;

async function checkIntegration(file: string, jsonSchema: JsonSchema): Promise<Checked> {
  const { diagnostics } = await prepare(file, { env: {}, config: 'optional', jsonSchema, modules: 'checked' });
  return { file, diagnostics };
}

/** Tests are checked against their integration, whose own mistakes are told as well. */
async function checkTests(file: string, jsonSchema: JsonSchema): Promise<readonly Checked[]> {
  const [{ prepareTests }, { testTools }] = await Promise.all([
    import('../testing/prepare.ts'),
    import('./test-tools.ts'),
  ]);
  const { checked } = await prepareTests(file, testTools(jsonSchema));
  return checked.map((one, index) => (index === 0 ? { ...one, file } : one));
}

async function expand(patterns: readonly string[]): Promise<readonly string[]> {
  const files = new Set<string>();
  for (const pattern of patterns) {
    if (existsSync(pattern)) {
      if (statSync(pattern).isDirectory()) {
        throw new UsageError(`${pattern} is a folder; write '${pattern.replace(/\/$/, '')}/**/integration.yaml'`);
      }
      files.add(pattern);
      continue;
    }
    if (!/[*?[{]/.test(pattern)) throw new UsageError(`there is no file ${pattern}`);
    const found: string[] = [];
    for await (const path of glob(pattern, { exclude: (name) => name === 'node_modules' })) found.push(path);
    if (found.length === 0) throw new UsageError(`no file matches ${pattern}`);
    for (const path of found.sort()) files.add(path);
  }
  return [...files];
}

function render(format: FormatName, checked: readonly Checked[]): string {
  if (format === 'json') return renderJson(checked);
  if (format === 'sarif') return renderSarif(checked, version());
  if (format === 'github') return checked.map((one) => renderGithub(one.diagnostics, one.file)).join('');
  return checked
    .map((one) =>
      one.diagnostics.length === 0
        ? `${one.file}: valid\n`
        : `${renderText(one.diagnostics, one.file, { color: colorful(process.stdout) })}\n`,
    )
    .join('');
}
