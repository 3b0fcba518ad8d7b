/** `node dying.ts FILE`, under a limit of the file size: writes until the disk fails, with the process's own way to end. */
import { systemClock } from '../../../src/core/clock.ts';
import { openStore } from '../../../src/store/open.ts';
import { put, quietLog, written } from './subject.ts';

const [path = ''] = process.argv.slice(2);
const onFatal = (error: Error): never => {
  throw error;
};
const world = { clock: systemClock, log: quietLog, integration: 'test', folder: '/', onFatal };
const store = await openStore({ sqlite: { path } }, world);
process.on('uncaughtException', (error) => {
  process.stdout.write(`ends: ${error.message}\n`);
  process.exit(70);
});
for (let i = 0; ; i++) {
  // Whoever carries on all the same does not keep the process alive.
  await written(store, put(`${i}`, 'x'.repeat(50_000))).catch(
    () => new Promise((resolve) => setTimeout(resolve, 60_000)),
  );
}
