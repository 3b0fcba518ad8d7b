/** `npm run check`: types, lint and format, the architecture, generated files. All run; one that fails fails the check. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const checks: Readonly<Record<string, readonly string[]>> = {
  types: ['node_modules/typescript/bin/tsc', '-p', '.'],
  'lint and format': ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings'],
  architecture: ['--test', '--test-reporter=dot', 'test/architecture.test.ts'],
  'generated files': ['scripts/generate.ts', '--check'],
};

interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  readonly output: string;
}

function run(name: string, args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('close', (code) => resolve({ name, passed: code === 0, output: Buffer.concat(output).toString() }));
  });
}

const outcomes = await Promise.all(Object.entries(checks).map(([name, args]) => run(name, args)));
for (const { name, passed, output } of outcomes) {
  process.stdout.write(`${passed ? '✔' : '✖'} ${name}\n`);
  if (!passed) process.stdout.write(`${output.trimEnd()}\n`);
}
process.exitCode = outcomes.every((one) => one.passed) ? 0 : 1;
