/**
 * `node --expose-gc bench/next-tick.ts`: what a `process.nextTick` costs once no object of one was left at a full
 * collection, and what it costs where one is kept (`src/operations/kept-tick.ts`).
 */
const noop = (): void => {};
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

const ticks = (count: number): Promise<void> =>
  new Promise((resolve) => {
    for (let i = 1; i < count; i++) process.nextTick(noop);
    process.nextTick(resolve);
  });

/** Nanoseconds for one, of the fastest of thirty rounds. */
async function cost(): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 30; round++) {
    const begun = performance.now();
    await ticks(20_000);
    best = Math.min(best, ((performance.now() - begun) / 20_000) * 1e6);
  }
  return best;
}

const { gc } = globalThis;
if (!gc) throw new Error('to be run with --expose-gc');
await ticks(200);
const kept = process.argv[2] === 'kept' ? await (await import('../src/operations/kept-tick.ts')).keptTick : undefined;
await pause();
gc();
await pause();
gc();
console.log(`${kept ? 'one is kept' : 'none is kept'}: ${(await cost()).toFixed(0)} ns`);
if (!kept) {
  const { spawnSync } = await import('node:child_process');
  spawnSync(process.execPath, ['--expose-gc', import.meta.filename, 'kept'], { stdio: 'inherit' });
}
