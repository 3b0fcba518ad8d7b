/** `node unwatched.ts FILE`: runs an integration as `dowel run` does, with nothing that watches it: no metrics, no log, no admin server. */
import type { Log } from '../src/core/exchange.ts';

// As the launcher does: else the two would not be compiled alike.
const flags = new URL('../bin/v8-flags.js', import.meta.url).href;
((await import(flags)) as { readonly setFlags: () => void }).setFlags();

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
