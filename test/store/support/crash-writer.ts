/**
 * `node crash-writer.ts FILE FIRST`: writes numbered batches of three entries each, several at once, and prints the number
 * of each when it is acknowledged, until it is killed.
 */
import { writeSync } from 'node:fs';
import { systemClock } from '../../../src/core/clock.ts';
import { openStore } from '../../../src/store/open.ts';
import { failOnFatal, put, quietLog } from './subject.ts';

const [path = '', first = ''] = process.argv.slice(2);
const world = { clock: systemClock, log: quietLog, integration: 'test', folder: '/', onFatal: failOnFatal };
const store = await openStore({ sqlite: { path } }, world);
let next = Number(first);

async function write(): Promise<void> {
  for (;;) {
    const number = next++;
    const key = String(number).padStart(7, '0');
    // Larger than a page of the file: a batch is never one frame of the log.
    const value = `${number} `.repeat(200);
    await store.write(['a', 'b', 'c'].map((part) => put(`${key}/${part}`, value)));
    // Straight to the pipe: what stands in a buffer would be lost with the process.
    writeSync(1, `${number}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, write));
