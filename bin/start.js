#!/usr/bin/env node
// `npm start`: the order integration and its backends as processes of their own, tried out with real requests.
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onNode24 } from './node-24.js';

const script = fileURLToPath(import.meta.url);

await onNode24('npm start', script, async () => {
  module.enableCompileCache(join(dirname(script), '..', '.cache', 'compile'));
  const { main } = await import('../integrations/order/demo/main.ts');
  await main(process.argv.slice(2));
});
