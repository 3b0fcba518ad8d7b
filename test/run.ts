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
  'bench/bench',
  'integration/robustness',
  'integrations/readme',
  'integrations/csv-import',
  'connectors/kafka/faults',
  'cli/dead-letters',
  'cli/dev',
  'integrations/bridge',
  'integrations/telemetry',
  'integrations/order-events',
  'flow/kill',
  'integrations/start',
  'store/postgres',
  'store/redis',
  'connectors/kafka/conformance',
  'connectors/amqp/silent',
  'flow/durable-queue/kill',
  'connectors/amqp/endpoint',
  'cli/run',
  'cli/new',
  'integrations/order',
  'connectors/amqp/tls',
  'connectors/amqp/conformance',
  'expression/limits',
  'integrations/travel-saga',
  'container/image',
  'connectors/amqp/source',
  'operations/metrics-settled',
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
