#!/usr/bin/env node
// The launcher, in plain JavaScript that any Node of the last years can read: finds a Node that can run Dowel, sets
// the flags that must stand before anything is loaded, and hands over.
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import { onNode24 } from './node-24.js';

const script = fileURLToPath(import.meta.url);

await onNode24('dowel', script, async () => {
  // Linear-time matching when a regular expression backtracks too much: no message can stop the process with one.
  v8.setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
  if (!process.env.NODE_COMPILE_CACHE && !process.env.NODE_DISABLE_COMPILE_CACHE) {
    module.enableCompileCache(join(dirname(script), '..', '.cache', 'compile'));
  }
  const { main } = await import('../src/cli/main.ts');
  await main(process.argv.slice(2));
});
