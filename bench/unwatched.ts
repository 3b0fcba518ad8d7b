/** `node unwatched.ts FILE`: runs an integration as `dowel run` does, with nothing that watches it: no metrics, no log, no admin server. */
import { setFlagsFromString } from 'node:v8';
import type { Log } from '../src/core/exchange.ts';

// As the launcher does (bin/dowel.js): else the two would not be compiled alike.
for (const flag of ['--no-opt', '--no-maglev', '--semi-space-growth-factor=1']) setFlagsFromString(flag);
setTimeout(() => {
  for (const flag of ['--opt', '--maglev', '--semi-space-growth-factor=2']) setFlagsFromString(flag);
}, 1000).unref();

const { connectors } = await import('../connectors/index.ts');
const { prepare } = await import('../src/cli/prepare.ts');
const { services } = await import('../src/cli/process.ts');
const { Runtime } = await import('../src/flow/runtime.ts');
await import('../src/operations/kept-tick.ts');

const nothing = (): void => {};

/** Only where it listens. */
const log: Log = {
  debugging: false,
  debug: nothing,
  info(message, fields) {
    if (message === 'listening') console.log(JSON.stringify({ ...fields, message }));
  },
  warn: nothing,
  error: nothing,
};

const { program } = await prepare(process.argv[2] ?? '', { env: process.env, config: 'required', trustSchemas: true });
if (!program) throw new Error('the integration cannot be run');
await new Runtime(services(log), connectors).start(program);
console.log(JSON.stringify({ message: 'ready' }));
