/**
 * `node full-disk.ts FILE [FILLER]`: fills the store until a write fails, and tells what became of it. FILLER is deleted
 * then, as an operator would make room, and written once more.
 */
import { rmSync } from 'node:fs';
import { systemClock } from '../../../src/core/clock.ts';
import { toFailure } from '../../../src/errors.ts';
import { openStore } from '../../../src/store/open.ts';
import { put, quietLog, written } from './subject.ts';

const [path = '', filler] = process.argv.slice(2);
const fatal: string[] = [];
const world = {
  clock: systemClock,
  log: quietLog,
  integration: 'test',
  folder: '/',
  onFatal: (error: Error) => void fatal.push(error.message),
};
const store = await openStore({ sqlite: { path } }, world);
const large = 'x'.repeat(50_000);
const told = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'done';
  } catch (thrown) {
    const { code, message } = toFailure(thrown);
    return `${code}: ${message}`;
  }
};
let acknowledged = 0;
let end = '';
while (end === '') {
  const outcome = await told(written(store, put(`${acknowledged}/a`, large), put(`${acknowledged}/b`, large)));
  if (outcome === 'done') acknowledged++;
  else end = outcome;
}
const read = await told(store.get('test', '0/a'));
if (filler !== undefined) rmSync(filler);
const after = await told(written(store, put('after')));
const closed = await told(store.close());
const again = filler === undefined ? undefined : await openStore({ sqlite: { path } }, world);
const found = (await again?.list('test', { limit: 1000 }))?.entries.map((entry) => entry.key);
const next = (await again?.list('test', { limit: 1000 }))?.next;
await again?.close();
process.stdout.write(JSON.stringify({ acknowledged, end, read, after, closed, fatal, found, next }));
