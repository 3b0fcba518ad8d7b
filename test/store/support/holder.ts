/** `node holder.ts FILE`: has the SQLite store open until it is killed. */
import { systemClock } from '../../../src/core/clock.ts';
import { openStore } from '../../../src/store/open.ts';
import { failOnFatal, put, quietLog, written } from './subject.ts';

const [path = ''] = process.argv.slice(2);
const world = { clock: systemClock, log: quietLog, integration: 'test', folder: '/', onFatal: failOnFatal };
const store = await openStore({ sqlite: { path } }, world);
await written(store, put('a', 'of the holder'));
process.stdout.write('open\n');
process.stdin.resume();
setInterval(() => {}, 60_000);
