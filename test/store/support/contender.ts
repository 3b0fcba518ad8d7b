/**
 * `node contender.ts STORE NAME COUNT`: waits for the key `go`, then tries to be the first with each of COUNT keys, and
 * prints those it won. STORE is a value of the setting `store:`, as JSON.
 */
import { sleep, systemClock } from '../../../src/core/clock.ts';
import { openStore } from '../../../src/store/open.ts';
import { bytes, failOnFatal, quietLog } from './subject.ts';

const [settings = '', name = '', count = ''] = process.argv.slice(2);
const world = { clock: systemClock, log: quietLog, integration: 'test', folder: '/', onFatal: failOnFatal };
const store = await openStore(JSON.parse(settings), world);
process.stdout.write('ready\n');
while (!(await store.get('race', 'go'))) await sleep(systemClock, 2);
const value = bytes(name);
for (let i = 0; i < Number(count); i++) {
  const key = `key ${i}`;
  const { written } = await store.write([{ op: 'put', space: 'race', key, value, when: 'absent' }]);
  if (written) process.stdout.write(`won ${key}\n`);
}
await store.close();
process.stdout.write('done\n');
