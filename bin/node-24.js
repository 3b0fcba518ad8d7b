// Plain JavaScript that any Node of the last years can read: finds a Node that can run the rest.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const oldest = 24;
const launched = 'DOWEL_LAUNCHED';

/**
 * Runs `main` when this Node is new enough; else runs `script` again, with the same arguments, on the Node that
 * `npm install` brought along. Without one it says in a line what to install.
 */
export async function onNode24(name, script, main) {
  if (Number(process.versions.node.split('.')[0]) >= oldest) {
    if (process.env[launched]) {
      delete process.env[launched];
      await import('./end-with-parent.js');
    }
    await main();
    return;
  }
  const node = bundledNode();
  if (node) {
    await runWith(node, name, script);
    return;
  }
  console.error(
    `${name}: needs Node ${oldest} or newer, this is ${process.versions.node}; install it with: npm install --no-save node@${oldest}`,
  );
  process.exitCode = 69;
}

function bundledNode() {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('node/package.json'));
    const path = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

async function runWith(node, name, script) {
  // Only here: it would cost every other start some milliseconds.
  const { spawn } = await import('node:child_process');
  const child = spawn(node, [script, ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [launched]: '1' },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`${name}: ${node} cannot be started: ${error.message}`);
    process.exit(70);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 70);
    // Ends the way the child did, so that whoever watches sees the signal.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
