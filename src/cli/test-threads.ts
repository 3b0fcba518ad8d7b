/** Tests many files side by side: as many threads as there are processors, where that is worth their start. */
import { statSync } from 'node:fs';
import module from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { RunOptions } from '../testing/run.ts';
import type { TestedFile } from './tested-file.ts';

/** What a thread needs to know. */
export interface ThreadWork {
  /** The longest first, so that no thread begins with it when the others are done. */
  readonly files: readonly string[];
  /** How many of them are taken, by all threads. */
  readonly taken: Int32Array;
  readonly options: RunOptions;
  readonly compileCache: string | undefined;
}

/** So many files keep a thread busy for longer than it takes to start. */
const filesForThread = 4;

/** What came of each file, in their order, as soon as it and those before it are done. */
export function testFilesOf(
  files: readonly string[],
  options: RunOptions,
  processors: number = availableParallelism(),
): AsyncIterable<TestedFile> {
  const threads = Math.min(processors, Math.floor(files.length / filesForThread));
  // What comes after the first failure is not run.
  return threads > 1 && !options.bail ? sideBySide(files, options, threads) : inTurn(files, options);
}

async function* inTurn(files: readonly string[], options: RunOptions): AsyncGenerator<TestedFile> {
  const { fileTester } = await import('./tested-file.ts');
  const test = fileTester(options);
  for (const file of files) yield await test(file);
}

async function* sideBySide(files: readonly string[], options: RunOptions, threads: number): AsyncGenerator<TestedFile> {
  const work: ThreadWork = {
    files: files.toSorted((a, b) => statSync(b).size - statSync(a).size),
    taken: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
    options,
    compileCache: compileCacheDir(),
  };
  const results = new Map(files.map((file) => [file, Promise.withResolvers<TestedFile>()]));
  const done = (tested: TestedFile): void => results.get(tested.report.file)?.resolve(tested);
  const workers: Worker[] = [];
  const failed = (thrown: unknown): void => {
    for (const worker of workers) worker.terminate().catch(() => {});
    for (const { promise, reject } of results.values()) {
      // Only the first that is waited for is told.
      promise.catch(() => {});
      reject(thrown);
    }
  };
  for (let thread = 1; thread < threads; thread++) workers.push(startThread(work, done, failed));
  const { fileTester } = await import('./tested-file.ts');
  const test = fileTester(options);
  const own = (async () => {
    for (const file of filesLeft(work)) done(await test(file));
  })();
  own.catch(failed);
  for (const file of files) {
    const tested = await results.get(file)?.promise;
    if (tested) yield tested;
  }
}

/** As it was given: Node makes a folder for its own version in it. */
function compileCacheDir(): string | undefined {
  const folder = module.getCompileCacheDir();
  return folder && dirname(folder);
}

/** The files that no thread has taken, each as it is taken. */
export function* filesLeft({ files, taken }: ThreadWork): Generator<string> {
  for (;;) {
    const file = files[Atomics.add(taken, 0, 1)];
    if (file === undefined) return;
    yield file;
  }
}

function startThread(work: ThreadWork, done: (tested: TestedFile) => void, failed: (thrown: unknown) => void): Worker {
  const worker = new Worker(new URL('./test-thread.ts', import.meta.url), { workerData: work });
  let finished = false;
  worker.on('message', (text: string | undefined) => {
    if (text === undefined) finished = true;
    else done(JSON.parse(text) as TestedFile);
  });
  worker.on('error', failed);
  worker.on('exit', (code) => {
    if (!finished) failed(new Error(`a module of an integration under test ended its thread (exit code ${code})`));
  });
  return worker;
}
