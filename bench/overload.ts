import { Child } from './child.ts';
import type { OpenOutcome, OpenTask } from './load/open-loop.ts';
import { runDowel } from './systems/dowel.ts';

export interface Overload {
  readonly limits: string;
  /** Answers a second, as a share of what the system behind can do. */
  readonly goodput: number;
  readonly outcome: OpenOutcome;
  /** Megabytes: idle, and the most that was seen under the load. */
  readonly idleMb: number;
  readonly peakMb: number;
}

export interface OverloadPlan {
  readonly warmUpMs: number;
  readonly ms: number;
}

/** What the system behind can do: 20 at a time, 50 ms each. */
const slots = 20;
const serviceMs = 50;
const capacity = (slots * 1000) / serviceMs;

const cases = [
  { limits: 'the defaults', integration: 'slow' },
  { limits: '`bulkhead: { max: 20, queue: 20, maxWait: 500ms }`', integration: 'slow-guarded' },
] as const;

/** Twice as many requests as the system behind can do, for a while: what still is answered, and how fast the rest is told. */
export async function measureOverload(plan: OverloadPlan): Promise<readonly Overload[]> {
  const results: Overload[] = [];
  for (const { limits, integration } of cases) results.push(await measure(limits, integration, plan));
  return results;
}

async function measure(limits: string, integration: string, { warmUpMs, ms }: OverloadPlan): Promise<Overload> {
  const backend = new Child(new URL('slow-backend.ts', import.meta.url), { args: [`${slots}`, `${serviceMs}`] });
  const load = new Child(new URL('load/open-loop.ts', import.meta.url), { patience: 120_000 });
  try {
    const { port: behind } = await backend.ask<{ readonly port: number }>();
    const dowel = await runDowel(integration, `http://127.0.0.1:${behind}`);
    try {
      const idleMb = (await dowel.usage()).rss / 1e6;
      const task: OpenTask = { port: dowel.port, path: '/slow', perSecond: 2 * capacity, warmUpMs, ms };
      let peakMb = idleMb;
      let over = false;
      const watching = (async () => {
        while (!over) {
          peakMb = Math.max(peakMb, (await dowel.usage()).rss / 1e6);
          await new Promise((resolve) => setTimeout(resolve, 250));
        }
      })();
      const { outcome } = await load.ask<{ readonly outcome: OpenOutcome }>(task);
      over = true;
      await watching;
      return { limits, goodput: outcome.answered / ((capacity * ms) / 1000), outcome, idleMb, peakMb };
    } finally {
      await dowel.stop();
    }
  } finally {
    await Promise.all([backend.stop(), load.stop()]);
  }
}
