/** A thread that tests files until none is left. */
import module from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { filesLeft, type ThreadWork } from './test-threads.ts';

const work = workerData as ThreadWork;
if (work.compileCache !== undefined) module.enableCompileCache(work.compileCache);
const { fileTester } = await import('./tested-file.ts');
const test = fileTester(work.options);

// As text: what a message holds is shown as JSON, and may be more than a thread can hand over.
const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

for (const file of filesLeft(work)) parentPort?.postMessage(JSON.stringify(await test(file), plain));
parentPort?.postMessage(undefined);
