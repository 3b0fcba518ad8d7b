#!/usr/bin/env node
// The launcher, in plain JavaScript that any Node of the last years can read: finds a Node that can run Dowel, sets
// the flags that must stand before anything is loaded, and hands over.
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onNode24 } from './node-24.js';
import { setFlags } from './v8-flags.js';

const script = fileURLToPath(import.meta.url);

await onNode24('dowel', script, async () => {
  // What is cached fits the flags it was made with.
  setFlags(() => module.flushCompileCache());
  if (!process.env.NODE_COMPILE_CACHE && !process.env.NODE_DISABLE_COMPILE_CACHE) {
    module.enableCompileCache(join(dirname(script), '..', '.cache', 'compile'));
  }
  const { main } = await import('../src/cli/main.ts');
  await main(process.argv.slice(2));
});
