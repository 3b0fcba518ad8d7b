import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { connectorDefinitions } from '../../../connectors/index.ts';
import type { IntegrationSource } from '../../../src/core/written.ts';
import { type Loaded, loadIntegration } from '../../../src/integration/load.ts';
import { steps } from '../../../src/steps/index.ts';

export interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly config?: 'required' | 'optional';
  /** Files beside the integration. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

/** Writes a file of its own for the test and loads it; `<folder>` in `env` is where it stands. */
export async function load(t: TestContext, yaml: string | Uint8Array, given: Given = {}): Promise<Loaded> {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-load-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(given.files ?? {})) writeFileSync(join(folder, name), content);
  const file = join(folder, 'integration.yaml');
  writeFileSync(file, yaml);
  const entries = Object.entries(given.env ?? {}).map(([name, text]) => [name, text.replace('<folder>', folder)]);
  return loadIntegration(
    file,
    { steps, connectors: connectorDefinitions },
    { env: Object.fromEntries(entries) as Record<string, string>, config: given.config ?? 'required' },
  );
}

/** The same, for a file that has no mistakes. */
export async function loadRight(t: TestContext, yaml: string, given: Given = {}): Promise<IntegrationSource> {
  const { source, diagnostics } = await load(t, yaml, given);
  const [first] = diagnostics;
  if (first) throw new Error(`${first.line}:${first.column} ${first.message}`);
  if (!source) throw new Error('nothing was loaded');
  return source;
}

/** What was found, in short: `6:3 config-missing …`. */
export async function found(t: TestContext, yaml: string, given: Given = {}): Promise<readonly string[]> {
  const { diagnostics } = await load(t, yaml, given);
  return diagnostics.map((one) => `${one.line}:${one.column} ${one.code} ${one.message}`);
}

/** The options of a step or a connector that must be there. */
export function optionsOf(owner: { readonly options: unknown } | undefined): Readonly<Record<string, unknown>> {
  if (typeof owner?.options !== 'object' || owner.options === null) throw new Error('there are no options');
  return owner.options as Readonly<Record<string, unknown>>;
}
