/**
 * `npm test`: the checks first, then every `*.test.ts`, each file in a process of its own. Arguments choose files:
 * `npm test -- test/flow/*.test.ts` runs only those, without the checks.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { run } from 'node:test';
import { spec as Spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { Lending } from './support/lending.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const chosen = process.argv.slice(2);

// One more than there are cores, for one of them always waits: for a broker that starts, for a timeout. Files start
// processes of their own: with still more they would only wait for each other.
const concurrency = availableParallelism() + 1;
const cached = ['--import', './test/support/compile-cache.js'];

/** Those that take longest, from the longest on: begun first, none of them is left alone at the end. */
const longest = [
  'faults/faults',
  'connectors/kafka/faults',
  'connectors/amqp/conformance',
  'connectors/kafka/conformance',
  'integrations/order-events',
  'connectors/amqp/source',
  'integrations/bridge',
  'integrations/csv-import',
  'cli/dead-letters',
  'cli/new',
  'documents/documents',
  'expression/limits',
  'cli/run',
  'connectors/amqp/endpoint',
  'integrations/start',
  'container/image',
  'bench/bench',
  'operations/metrics-settled',
  'integrations/telemetry',
  'integrations/readme',
  'integration/robustness',
  'integrations/travel-saga',
].map((name) => `test/${name}.test.ts`);

function node(args: readonly string[]): void {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

async function all(): Promise<void> {
  const every = globSync('test/**/*.test.ts', { cwd: root }).sort();
  const missing = longest.filter((file) => !every.includes(file));
  if (missing.length > 0) throw new Error(`not there any more: ${missing.join(', ')}`);
  await using lending = await Lending.open();
  Object.assign(process.env, lending.env);
  // Told to end, it takes the servers along.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const files = [...longest, ...every.filter((file) => !longest.includes(file))];
  const stream = run({ files, cwd: root, concurrency, execArgv: cached });
  // Unless all is said to be well.
  process.exitCode = 1;
  stream.on('test:summary', ({ file, success }) => {
    if (file === undefined && success) process.exitCode = 0;
  });
  for await (const text of stream.compose(new Spec())) process.stdout.write(text);
}

if (chosen.length > 0) {
  node([...cached, '--test', `--test-concurrency=${concurrency}`, '--test-reporter=spec', ...chosen]);
} else {
  node(['scripts/check.ts']);
  await all();
}
