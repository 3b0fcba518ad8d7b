import { fileURLToPath } from 'node:url';
import { Child } from '../child.ts';
import type { System } from './system.ts';

const launcher = new URL('../../bin/dowel.js', import.meta.url);

/** The port in the log line that says where the http sources listen. */
function listeningAt(log: string): number | undefined {
  const line = log.split('\n').find((one) => one.includes('"message":"listening"'));
  const ready = log.includes('"message":"ready"');
  return line && ready ? (JSON.parse(line) as { readonly port: number }).port : undefined;
}

/** `dowel run`, as everybody starts it. */
export const dowel: System = {
  name: 'dowel',
  title: 'Dowel',
  missing: () => undefined,
  start: async (scenario, backendUrl) => {
    const file = fileURLToPath(new URL(`../integrations/${scenario.name}.yaml`, import.meta.url));
    const child = new Child(launcher, {
      args: ['run', file],
      measured: true,
      env: { PORT: '0', BACKEND_URL: backendUrl },
    });
    const port = await child.until('ready', listeningAt);
    return { port, cpu: async () => (await child.usage()).cpu, stop: () => child.stop() };
  },
};
