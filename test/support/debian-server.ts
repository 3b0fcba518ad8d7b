/**
 * Servers that tests start for themselves, from Debian's packages: on a free port of the loopback interface, with data
 * of their own, ended with the test. Where a package is missing its tests are skipped; on CI that is a failure.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, test } from 'node:test';

/** Where the program is: in PATH, or where `elsewhere` (a glob) finds it. */
export function programOf(name: string, elsewhere?: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const found = folders.flatMap((folder) => globSync(join(folder, name)));
  return (elsewhere === undefined ? found : [...globSync(elsewhere).sort().reverse(), ...found])[0];
}

/** Registers tests that need a package. */
export function withPackage(name: string, program: string | undefined, title: string, tests: () => void): void {
  if (program !== undefined) {
    describe(title, tests);
    return;
  }
  const reason = `not installed: apt-get install ${name}`;
  test(title, { skip: process.env['CI'] ? false : reason }, () => {
    throw new Error(reason);
  });
}

/** The server, once it has started. Of one that does not nothing is left, which would keep the test's process alive for ever. */
export async function started<S extends AsyncDisposable & { start(): Promise<void> }>(server: S): Promise<S> {
  try {
    await server.start();
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** The number of a user of this system. */
export function userId(name: string): number {
  const { stdout, status } = spawnSync('id', ['-u', name], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`there is no user ${name}`);
  return Number(stdout.trim());
}
