import { existsSync, statSync, writeFileSync } from 'node:fs';
import { connectors } from '../../connectors/index.ts';
import { type DocumentKind, documentKinds, documentOf, usualKind } from '../documents/document.ts';
import { renderText } from '../integration/render.ts';
import { writeYaml } from '../integration/write-yaml.ts';
import { exitCode } from './exit-codes.ts';
import { colorful, print, say } from './output.ts';
import { prepare } from './prepare.ts';
import { fileOf, parse, UsageError } from './usage.ts';

const usage = `
dowel docs FILE [--format openapi|asyncapi] [--output PATH]

Describes an integration to those who use it: the operations that its http sources serve as OpenAPI 3.1, or the
messages that it receives from brokers and sends to them as AsyncAPI 3.0. YAML on stdout. Values of \`config\` come from
the environment, as for \`run\`, and need not be set; secrets are not shown. A running integration tells the same at
/openapi.json and /asyncapi.json of its admin server.

  --format   which of both; openapi for an integration that serves HTTP, else asyncapi
  --output   a file to write to; JSON when it ends with .json

Exit codes: 0 written; 1 the file has errors, which are listed on stderr.
`;

export async function command(args: readonly string[]): Promise<number> {
  const parsed = parse(args, {
    text: usage,
    options: { format: { type: 'string' }, output: { type: 'string', short: 'o' } },
    positionals: { min: 1, max: 1 },
  });
  if (!parsed) return exitCode.done;
  const { format, output } = parsed.values;
  if (format !== undefined && !documentKinds.includes(format as DocumentKind)) {
    throw new UsageError(`--format takes ${documentKinds.join(', ')}, not ${format}`);
  }
  if (output !== undefined && existsSync(output) && statSync(output).isDirectory()) {
    throw new UsageError(`${output} is a folder; write ${output.replace(/\/$/, '')}/api.yaml`);
  }
  const file = fileOf(parsed.positionals);

  const { program, source, diagnostics } = await prepare(file, { env: process.env, config: 'optional' });
  const errors = diagnostics.filter((one) => one.severity === 'error');
  if (errors.length > 0) say(renderText(errors, file, { color: colorful(process.stderr) }));
  if (!program || !source) return exitCode.findings;
  const kind = (format as DocumentKind | undefined) ?? usualKind(source);
  const document = await documentOf(kind, source, connectors);
  const text = output?.endsWith('.json') ? `${JSON.stringify(document, null, 2)}\n` : writeYaml([document]);
  if (output === undefined) print(text);
  else write(output, text);
  return exitCode.done;
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (thrown) {
    throw new UsageError(`${path} cannot be written (${(thrown as NodeJS.ErrnoException).code})`);
  }
}
