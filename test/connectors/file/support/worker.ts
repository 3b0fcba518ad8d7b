/**
 * A process that works on a folder: `node worker.ts FOLDER LEDGER hold|done [GLOB]`. Notes every file that it was given
 * in the ledger; with `hold` it never comes to an end with any of them.
 */
import { appendFileSync } from 'node:fs';
import { openSource } from '../../../../connectors/file/source.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { plainContext } from '../../../support/plain-context.ts';
import { defaults } from './inbox.ts';

const [path = '', ledger = '', mode = 'done', concurrency = '1'] = process.argv.slice(2);
const context = plainContext({
  clock: systemClock,
  needsWholeBody: true,
  concurrency: Number(concurrency),
  deliver: ({ origin }) => {
    appendFileSync(
      ledger,
      `${JSON.stringify({ pid: process.pid, name: origin.source?.['name'], attempt: origin.attempt })}\n`,
    );
    return mode === 'hold' ? new Promise(() => {}) : Promise.resolve(undefined);
  },
});
const source = await openSource({ path, ...defaults }, context);
// A flow that waits for nothing keeps no process alive: one that holds its file back must not end by itself.
setInterval(() => {}, 60_000);
process.on('SIGTERM', () => void source.close().then(() => process.exit(0)));
console.log('open');
