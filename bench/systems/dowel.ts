import { fileURLToPath } from 'node:url';
import { Child, type Usage } from '../child.ts';
import type { Running, System } from './system.ts';

const launcher = new URL('../../bin/dowel.js', import.meta.url);

/** The port in the log line that says where the http sources listen. */
function listeningAt(log: string): number | undefined {
  const line = log.split('\n').find((one) => one.includes('"message":"listening"'));
  const ready = log.includes('"message":"ready"');
  return line && ready ? (JSON.parse(line) as { readonly port: number }).port : undefined;
}

/** `dowel run` with one of our integrations, as everybody starts it; or another program that runs integrations. */
export async function runDowel(
  integration: string,
  backendUrl: string,
  { program, env }: { readonly program?: URL; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Running & { usage(): Promise<Usage> }> {
  const file = fileURLToPath(new URL(`../integrations/${integration}.yaml`, import.meta.url));
  const child = new Child(program ?? launcher, {
    args: program ? [file] : ['run', file],
    measured: true,
    env: { PORT: '0', BACKEND_URL: backendUrl, ...env },
  });
  const port = await child.until('ready', listeningAt);
  const usage = (): Promise<Usage> => child.usage();
  return { port, usage, cpu: async () => (await usage()).cpu, stop: () => child.stop() };
}

export const dowel: System = {
  name: 'dowel',
  title: 'Dowel',
  missing: () => undefined,
  start: (scenario, backendUrl) => runDowel(scenario.name, backendUrl),
};
