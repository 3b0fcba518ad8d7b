/**
 * `npm test`: the checks first, then every `*.test.ts`, each file in a process of its own. Arguments choose files:
 * `npm test -- test/flow/*.test.ts` runs only those, without the checks.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const chosen = process.argv.slice(2);

function node(args: readonly string[]): void {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

if (chosen.length === 0) node(['scripts/check.ts']);
// One more than there are cores, for one of them always waits: for a broker that starts, for a timeout. Files start
// processes of their own: with still more they would only wait for each other.
node([
  '--import',
  './test/support/compile-cache.js',
  '--test',
  `--test-concurrency=${availableParallelism() + 1}`,
  '--test-reporter=spec',
  ...(chosen.length > 0 ? chosen : ['test/**/*.test.ts']),
]);
