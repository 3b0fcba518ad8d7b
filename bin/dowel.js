#!/usr/bin/env node
// The launcher, in plain JavaScript that any Node of the last years can read: finds a Node that can run Dowel, sets
// the flags that must stand before anything is loaded, and hands over.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const oldest = 24;

function isNewEnough(version) {
  return Number(version.split('.')[0]) >= oldest;
}

/** The Node 24 that `npm install` brought along, if it did. */
function bundledNode() {
  try {
    const path = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node');
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

function runWith(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`dowel: ${node} cannot be started: ${error.message}`);
    process.exit(70);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 70);
    // Ends the way the child did, so that whoever watches sees the signal.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

if (isNewEnough(process.versions.node)) {
  // Linear-time matching when a regular expression backtracks too much: no message can stop the process with one.
  v8.setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
  if (!process.env.NODE_COMPILE_CACHE && !process.env.NODE_DISABLE_COMPILE_CACHE) {
    module.enableCompileCache(join(root, '.cache', 'compile'));
  }
  const { main } = await import('../src/cli/main.ts');
  await main(process.argv.slice(2));
} else {
  const node = bundledNode();
  if (node) runWith(node);
  else {
    console.error(
      `dowel: needs Node ${oldest} or newer, this is ${process.versions.node}; install it with: npm install --no-save node@${oldest}`,
    );
    process.exit(69);
  }
}
