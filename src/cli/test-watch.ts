import { basename } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { watchFiles } from '../operations/watch.ts';
import { say } from './output.ts';
import { onSignals } from './process.ts';
import type { TestRun } from './test.ts';

/** Runs tests, and again whenever a file changes that they depend on, until the process is told to stop. */
export async function watchTests(run: () => Promise<TestRun>): Promise<void> {
  const told = new Promise<NodeJS.Signals>((resolve) => onSignals(resolve));
  const since = systemClock.now();
  const first = await run();
  let running: Promise<unknown> = Promise.resolve();
  const again = async (changed: readonly string[]): Promise<readonly string[]> => {
    say(`${changed.map((one) => basename(one)).join(', ')} changed`);
    const next = run();
    running = next;
    return (await next).files;
  };
  const watcher = await watchFiles(first.files, again, since);
  say(`watching ${first.files.length} files`);
  await told;
  await watcher.close();
  await running;
}
