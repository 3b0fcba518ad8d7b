import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { type DowelProcess, startDowel } from '../../../support/dowel-process.ts';

/** The file of an integration, in a folder of its own. */
export function written(t: TestContext, yaml: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-amqp-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'integration.yaml');
  writeFileSync(file, yaml);
  return file;
}

/** A running integration in a process and a folder of its own. */
export async function runIntegration(t: TestContext, yaml: string): Promise<DowelProcess> {
  const file = written(t, yaml);
  const dowel = await startDowel(file, { cwd: dirname(file) });
  t.after(() => dowel[Symbol.asyncDispose]());
  return dowel;
}
