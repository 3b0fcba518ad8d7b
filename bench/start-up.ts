import { fileURLToPath } from 'node:url';
import { Child } from './child.ts';
import { quantile } from './measure.ts';

export interface StartUp {
  /** Milliseconds of processor time until it was ready to serve. */
  readonly cpuMs: number;
  /** Milliseconds until then. */
  readonly ms: number;
  /** Megabytes in memory, half a second after that. */
  readonly rssMb: number;
}

const launcher = new URL('../bin/dowel.js', import.meta.url);
const integration = fileURLToPath(new URL('../integrations/order/integration.yaml', import.meta.url));

const readyLine = (log: string): { readonly cpuMs: number; readonly ms: number } | undefined => {
  const line = log.split('\n').find((one) => one.includes('"message":"ready"'));
  return line === undefined ? undefined : JSON.parse(line);
};

async function start(): Promise<StartUp> {
  const child = new Child(launcher, { args: ['run', integration], measured: true, env: { PORT: '0' } });
  try {
    const { cpuMs, ms } = await child.until('ready', readyLine);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { rss } = await child.usage();
    return { cpuMs, ms, rssMb: rss / 1e6 };
  } finally {
    await child.stop();
  }
}

/** How `dowel run` starts with the order example; the first start, which fills the compile cache, does not count. */
export async function measureStartUp(times: number): Promise<StartUp> {
  await start();
  const starts: StartUp[] = [];
  for (let count = 0; count < times; count += 1) starts.push(await start());
  const median = (of: (one: StartUp) => number): number => quantile(starts.map(of), 0.5);
  return { cpuMs: median((one) => one.cpuMs), ms: median((one) => one.ms), rssMb: median((one) => one.rssMb) };
}
