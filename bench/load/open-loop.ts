/**
 * Load that does not wait: so many requests a second whatever the answers do, as callers behave who do not know of each
 * other. In a process of its own.
 */
import { Agent, get } from 'node:http';

export interface OpenTask {
  readonly port: number;
  readonly path: string;
  readonly perSecond: number;
  /** Before anything counts. */
  readonly warmUpMs: number;
  readonly ms: number;
}

export interface OpenOutcome {
  /** Answers 200 that came in the time that counts. */
  readonly answered: number;
  /** Answers 503 and 429 that came in it. */
  readonly rejected: number;
  /** All other answers, and none at all. */
  readonly failed: number;
  /** Milliseconds: the median of the rejections, the 99th of 100 answers. */
  readonly rejectedMedian: number;
  readonly answeredP99: number;
}

const tickMs = 10;

async function run({ port, path, perSecond, warmUpMs, ms }: OpenTask): Promise<OpenOutcome> {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const from = performance.now();
  const counts = (now: number): boolean => now >= from + warmUpMs && now < from + warmUpMs + ms;
  const answered: number[] = [];
  const rejected: number[] = [];
  let failed = 0;
  let sent = 0;
  const ask = (): void => {
    const begun = performance.now();
    const request = get({ host: '127.0.0.1', port, path, agent }, (response) => {
      const now = performance.now();
      response.resume();
      if (!counts(now)) return;
      if (response.statusCode === 200) answered.push(now - begun);
      else if (response.statusCode === 503 || response.statusCode === 429) rejected.push(now - begun);
      else failed += 1;
    });
    request.on('error', () => {
      if (counts(performance.now())) failed += 1;
    });
  };
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsed = performance.now() - from;
      for (; sent < (elapsed / 1000) * perSecond; sent += 1) ask();
      if (elapsed < warmUpMs + ms) return;
      clearInterval(timer);
      resolve();
    }, tickMs);
  });
  agent.destroy();
  const at = (values: number[], share: number): number =>
    values.sort((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? Number.NaN;
  return {
    answered: answered.length,
    rejected: rejected.length,
    failed,
    rejectedMedian: at(rejected, 0.5),
    answeredP99: at(answered, 0.99),
  };
}

process.on('message', (task: OpenTask) => {
  run(task).then(
    (outcome) => process.send?.({ outcome }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
process.on('disconnect', () => process.exit());
