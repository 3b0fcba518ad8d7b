import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from '../../child.ts';
import type { System } from '../system.ts';
import { flowOf } from './flows.ts';

const program = fileURLToPath(new URL('../../.peers/node_modules/node-red/red.js', import.meta.url));

/** Without editor, log and diagnostics: what would run in production. */
const settings = (port: number): string => `module.exports = {
  uiHost: '127.0.0.1',
  uiPort: ${port},
  httpAdminRoot: false,
  flowFile: 'flows.json',
  credentialSecret: false,
  apiMaxLength: '5mb',
  diagnostics: { enabled: false },
  telemetry: { enabled: false, updateNotification: false },
  logging: { console: { level: 'info', metrics: false, audit: false } },
};
`;

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

async function start(flow: readonly object[]) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-node-red-'));
  const port = await freePort();
  writeFileSync(join(folder, 'settings.js'), settings(port));
  writeFileSync(join(folder, 'flows.json'), JSON.stringify(flow));
  const child = new Child(program, {
    args: ['--userDir', folder, '--settings', join(folder, 'settings.js')],
    measured: true,
    patience: 60_000,
  });
  const stop = async (): Promise<void> => {
    await child.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await child.until('ready', (log) => (log.includes('Started flows') ? true : undefined));
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, cpu: async () => (await child.usage()).cpu, stop };
}

/** Node-RED, from npm. */
export const nodeRed: System = {
  name: 'node-red',
  title: 'Node-RED',
  missing: () =>
    existsSync(program) ? undefined : 'not installed; to measure it too: npm install --prefix bench/.peers node-red@5',
  start: (scenario, backendUrl) => {
    const flow = flowOf(scenario.name, backendUrl);
    return flow && start(flow);
  },
};
