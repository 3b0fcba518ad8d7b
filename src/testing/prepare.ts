/** A test file with the integrations that it is about: read, checked and planned. */
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import type { Finding, IntegrationSource, StepSource } from '../core/written.ts';
import type { Expression } from '../expression/expression.ts';
import { type CompileTools, compile } from '../flow/compile.ts';
import type { Program } from '../flow/program.ts';
import { unheard } from '../flow/unheard.ts';
import { type Diagnostic, sortDiagnostics } from '../integration/diagnostic.ts';
import { type Loaded, loadIntegration } from '../integration/load.ts';
import { childPointer } from '../schema/node.ts';
import type { Connector, ConnectorDefinition } from '../sdk.ts';
import type { TestFileSource } from './language.ts';
import { byTest, withSources } from './outside.ts';
import { type PlanWorld, planTests, type TestPlan } from './plan.ts';
import { readTestFile, type TestRead } from './read.ts';
import { unknownName } from './unknown-name.ts';

export interface TestTools {
  readonly steps: CompileTools['steps'];
  readonly connectors: Readonly<Record<string, Connector>>;
  readonly jsonSchema: PlanWorld['jsonSchema'];
  /** Compiles JSONata; every test compiles all of the integration. */
  readonly expression: (source: string) => Expression;
}

/** An integration under test, with its tests. */
export interface Suite {
  /** Absolute path of the integration. */
  readonly file: string;
  readonly integration: IntegrationSource;
  readonly plans: readonly TestPlan[];
  /** A program for one test alone. */
  compile(watch: (step: StepSource) => () => void): Program;
  locate(finding: Finding): Diagnostic;
}

export interface PreparedTests {
  readonly read: TestRead;
  /** Of the test file first, then of the integrations. */
  readonly checked: readonly { readonly file: string; readonly diagnostics: readonly Diagnostic[] }[];
  /** Empty where anything is wrong. */
  readonly suites: readonly Suite[];
  /** The test file and every file that it, or an integration, refers to. */
  readonly files: readonly string[];
}

export async function prepareTests(file: string, tools: TestTools): Promise<PreparedTests> {
  const read = readTestFile(file);
  const found: Diagnostic[] = [...read.diagnostics];
  const report = (finding: Finding): void => {
    if (!read.follows(finding)) found.push(read.locate(finding));
  };
  const { source } = read;
  const checked: { file: string; diagnostics: readonly Diagnostic[] }[] = [];
  const suites: Suite[] = [];
  const files = new Set([read.path, ...read.files]);
  for (const { path, pointer } of integrationsOf(source)) {
    files.add(path);
    if (!existsSync(path)) {
      const message = `There is no file \`${shown(path)}\`: paths are relative to this file`;
      report({ severity: 'error', code: 'missing-file', pointer, message });
      continue;
    }
    if (!source) continue;
    const loaded = await loadTested(path, source, tools, report);
    for (const one of loaded.files) files.add(one);
    if (loaded.diagnostics.length > 0) checked.push({ file: shown(path), diagnostics: loaded.diagnostics });
    if (loaded.suite) suites.push(loaded.suite);
  }
  const all = [{ file: shown(read.path), diagnostics: sortDiagnostics(found) }, ...checked];
  const broken = all.some((one) => one.diagnostics.some((each) => each.severity === 'error'));
  return { read, checked: all, suites: broken ? [] : suites, files: [...files] };
}

function integrationsOf(
  source: TestFileSource | undefined,
): readonly { readonly path: string; readonly pointer: string }[] {
  const { integration } = source ?? {};
  if (integration === undefined || integration === '') return [];
  if (typeof integration === 'string') return [{ path: integration, pointer: '/integration' }];
  return integration.map((path, index) => ({ path, pointer: `/integration/${index}` }));
}

/** As a person would call it, from where they are. */
function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near === '' || near.startsWith('../../..') ? path : near;
}

interface Tested {
  readonly diagnostics: readonly Diagnostic[];
  readonly files: readonly string[];
  readonly suite: Suite | undefined;
}

async function loadTested(
  path: string,
  source: TestFileSource,
  tools: TestTools,
  report: (finding: Finding) => void,
): Promise<Tested> {
  const definitions = definitionsOf(tools.connectors);
  const env = environmentOf(source, report);
  const loaded = await loadIntegration(
    path,
    { steps: tools.steps, connectors: definitions },
    { env, config: 'required' },
  );
  const diagnostics = withoutMissing(loaded, source, report);
  const { source: integration } = loaded;
  if (!integration) return { diagnostics, files: loaded.files, suite: undefined };
  checkConfig(integration, source, report);
  const sent = new Set(source.tests.flatMap((test) => [test.send].flat().flatMap((one) => one.flow ?? [])));
  const tested = withSources(integration, sent);
  const connectors = { ...definitions, [byTest.name]: byTest };
  const found: Diagnostic[] = [...diagnostics];
  compile(integration, {
    steps: tools.steps,
    connectors: definitions,
    jsonSchema: tools.jsonSchema,
    report: (finding) => {
      if (!loaded.follows(finding)) found.push(loaded.locate(finding));
    },
  });
  const plans = planTests(source, { integration, connectors: definitions, jsonSchema: tools.jsonSchema, report });
  return {
    // What is only worth a warning `dowel validate` says.
    diagnostics: sortDiagnostics(found.filter((one) => one.severity === 'error')),
    files: loaded.files,
    suite: {
      file: path,
      integration,
      plans,
      compile: (watch) => compile(tested, { ...tools, connectors, report: unheard, watch }),
      locate: (finding) => loaded.locate(finding),
    },
  };
}

const definitionsOf = (
  connectors: Readonly<Record<string, Connector>>,
): Readonly<Record<string, ConnectorDefinition>> =>
  Object.fromEntries(Object.entries(connectors).map(([name, one]) => [name, one.definition]));

function environmentOf({ config }: TestFileSource, report: (finding: Finding) => void): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(config ?? {})) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') env[name] = String(value);
    else {
      const message = `\`${name}\` must be text, a number, or \`true\` or \`false\``;
      report({ severity: 'error', code: 'wrong-type', pointer: childPointer('/config', name), message });
    }
  }
  return env;
}

/** A value that is not set is a mistake of the tests: they alone give values. */
function withoutMissing(
  { diagnostics }: Loaded,
  source: TestFileSource,
  report: (finding: Finding) => void,
): readonly Diagnostic[] {
  return diagnostics.filter((one) => {
    const name = /^\/config\/([^/]+)$/.exec(one.pointer)?.[1];
    if (name === undefined) return true;
    if (one.code === 'config-missing') {
      const message = `The integration needs \`${name}\`, which has no default: write \`config: { ${name}: … }\``;
      report({ severity: 'error', code: one.code, at: 'key', pointer: source.config ? '/config' : '', message });
      return false;
    }
    if (one.code !== 'config-invalid') return true;
    const message = one.message.replace(' in the environment', '');
    report({ severity: 'error', code: one.code, pointer: childPointer('/config', name), message });
    return false;
  });
}

function checkConfig(
  integration: IntegrationSource,
  { config }: TestFileSource,
  report: (finding: Finding) => void,
): void {
  const known = [...Object.keys(integration.config), ...integration.secretNames];
  for (const name of Object.keys(config ?? {})) {
    if (!known.includes(name)) report(unknownName('config value', name, known, childPointer('/config', name), 'key'));
  }
}
