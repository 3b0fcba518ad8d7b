#!/usr/bin/env node
// The launcher, in plain JavaScript that any Node of the last years can read: finds a Node that can run Dowel, sets
// the flags that must stand before anything is loaded, and hands over.
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import { onNode24 } from './node-24.js';

const script = fileURLToPath(import.meta.url);

// Code that starts runs once: optimizing it costs a sixth of the start and 10 MB that stay, and its garbage would make
// the young heap grow for good.
const starting = ['--no-opt', '--no-maglev', '--semi-space-growth-factor=1'];
const running = ['--opt', '--maglev', '--semi-space-growth-factor=2'];
const startedAfterMs = 1000;

const set = (flags) => {
  for (const flag of flags) v8.setFlagsFromString(flag);
};

await onNode24('dowel', script, async () => {
  // Linear-time matching when a regular expression backtracks too much: no message can stop the process with one.
  set(['--enable-experimental-regexp-engine-on-excessive-backtracks', ...starting]);
  setTimeout(() => {
    // What is cached fits the flags it was made with.
    module.flushCompileCache();
    set(running);
  }, startedAfterMs).unref();
  if (!process.env.NODE_COMPILE_CACHE && !process.env.NODE_DISABLE_COMPILE_CACHE) {
    module.enableCompileCache(join(dirname(script), '..', '.cache', 'compile'));
  }
  const { main } = await import('../src/cli/main.ts');
  await main(process.argv.slice(2));
});
