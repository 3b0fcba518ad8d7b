/**
 * A process that is killed at a write of its journal, see `durable-run.ts`.
 *
 *     node durable-process.ts FOLDER INTEGRATION WRITE before|after send|NUMBERS
 */
import { runDurable } from './durable-run.ts';

const [folder = '', file = '', at = '', when = '', what = ''] = process.argv.slice(2);

await runDurable({
  folder,
  file,
  death: { at: Number(at), when: when === 'before' ? 'before' : 'after' },
  what: what === 'send' ? what : what.split(',').map(Number),
});
