/**
 * Files with one mistake each, as `test/fixtures/mistakes/*.txt` has them:
 *
 *     ### what is wrong
 *     server: { «prot»: 8080 }
 *     => error unknown-key /server/prot
 *     => Unknown key `prot`; did you mean `port`?
 *     => write port
 *
 * What the language has is not repeated: `{steps and}` stands for the names of all steps, and so on.
 *
 * `«»` mark what the diagnostic must mark. What begins as deep as a step stands in the flow of {@link around}.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { connectorDefinitions } from '../../../connectors/index.ts';
import { type PrepareOptions, prepare } from '../../../src/cli/prepare.ts';
import type { Diagnostic } from '../../../src/integration/diagnostic.ts';
import { positions } from '../../../src/integration/position.ts';
import { integrationSchema } from '../../../src/schema/language.ts';
import { listed } from '../../../src/schema/wording.ts';
import { steps } from '../../../src/steps/index.ts';

export interface Mistake {
  readonly title: string;
  readonly yaml: string;
  readonly expected: Diagnostic;
}

const around = `dowel: 1
name: t
config:
  PORT: { type: integer, default: 8080 }
  URL: { type: uri, default: http://localhost:9101 }
  KEY: { secret: true }
endpoints:
  inventory: { http: { url: "\${URL}" } }
  audit: { file: { path: ./audit.jsonl } }
flows:
  f:
    from: { http: { path: /orders } }
    steps:
`;

const connectors = Object.values(connectorDefinitions);
const endpointNames = connectors.filter((one) => one.endpoint).map((one) => one.name);

const lists: Readonly<Record<string, readonly string[]>> = {
  keys: Object.keys(integrationSchema.properties),
  steps: steps.map((step) => step.name),
  sources: connectors.filter((one) => one.source).map((one) => one.name),
  endpoints: endpointNames,
  endpoint: [...Object.keys(integrationSchema.properties.endpoints.additionalProperties.properties), ...endpointNames],
};

const spelledOut = (message: string): string =>
  message.replaceAll(/\{(\w+) (and|or)\}/g, (all, list: string, last: string) => {
    const names = lists[list];
    return names ? listed(names, last) : all;
  });

const contracts = new URL('../../fixtures/contracts/', import.meta.url);

/** What a file may refer to. */
const files: Readonly<Record<string, string>> = {
  ...Object.fromEntries(readdirSync(contracts).map((name) => [name, readFileSync(new URL(name, contracts), 'utf8')])),
  'order.schema.json': '{ "type": "object" }\n',
  'broken.schema.json': '{ "type": "object",\n  "properties": { "a": }\n}\n',
  'wrong.schema.json': '{ "type": "objekt" }\n',
  'price.ts': 'export default (): number => 1;\n',
};

export function mistakesIn(group: string): readonly Mistake[] {
  const text = readFileSync(new URL(`../../fixtures/mistakes/${group}.txt`, import.meta.url), 'utf8');
  return text
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const [title = '', ...rest] = part.split('\n');
      const lines = rest.join('\n').trimEnd().split('\n');
      const first = lines.findIndex((line) => line.startsWith('=> '));
      const body = `${lines.slice(0, first).join('\n')}\n`;
      const says = lines.slice(first).map((line) => line.slice(3));
      return mistake(title, body, says);
    });
}

function mistake(title: string, body: string, says: readonly string[]): Mistake {
  const marked = /^ {6}\S/.test(body) ? around + body : body;
  const start = marked.indexOf('«');
  const end = marked.indexOf('»') - 1;
  if (start < 0 || end < start) throw new Error(`${title}: nothing is marked`);
  const yaml = marked.replace('«', '').replace('»', '');
  const at = positions(yaml);
  const [head = '', message = '', write] = says;
  const [, severity, code = '', pointer = ''] = /^(error|warning) ([a-z-]+)(?: (.*))?$/.exec(head) ?? [];
  return {
    title,
    yaml,
    expected: {
      severity: severity === 'warning' ? 'warning' : 'error',
      code,
      message: spelledOut(message),
      pointer,
      line: at(start).line,
      column: at(start).column,
      endLine: at(end).line,
      endColumn: at(end).column,
      ...(write === undefined ? {} : { suggestion: write.slice('write '.length) }),
    },
  };
}

/** A folder with what files may refer to, for the length of a test file. */
export function workshop(): {
  readonly folder: string;
  diagnose(yaml: string, options?: Partial<PrepareOptions>): Promise<readonly Diagnostic[]>;
} {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-mistakes-'));
  after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'folder'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const file = join(folder, 'integration.yaml');
  return {
    folder,
    async diagnose(yaml, options = {}) {
      writeFileSync(file, yaml);
      const { diagnostics, program } = await prepare(file, { env: {}, config: 'optional', ...options });
      const broken = diagnostics.some((one) => one.severity === 'error');
      if (broken !== (program === undefined)) throw new Error('there is a program exactly when there is no error');
      return diagnostics.map((one) => ({ ...one, message: one.message.replaceAll(folder, '<folder>') }));
    },
  };
}
