/** `node unwatched.ts FILE`: runs an integration as `dowel run` does, with nothing that watches it: no metrics, no log, no admin server. */
import { connectors } from '../connectors/index.ts';
import { prepare } from '../src/cli/prepare.ts';
import { services } from '../src/cli/process.ts';
import type { Log } from '../src/core/exchange.ts';
import { Runtime } from '../src/flow/runtime.ts';
import '../src/operations/kept-tick.ts';

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
