import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type DowelProcess, startDowel } from '../../../support/dowel-process.ts';

/** A running integration in a process and a folder of its own. */
export async function runIntegration(t: TestContext, yaml: string): Promise<DowelProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-amqp-'));
  const file = join(folder, 'integration.yaml');
  writeFileSync(file, yaml);
  const dowel = await startDowel(file, { cwd: folder });
  t.after(async () => {
    await dowel[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  return dowel;
}
