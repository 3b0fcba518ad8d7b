/** Load, in a process of its own: keeps a number of requests under way for a time and tells how they went. */
import type { Ask } from '../scenarios.ts';
import { Caller } from './caller.ts';
import { bytesOf } from './connection.ts';

export interface Task {
  readonly port: number;
  readonly ask: Ask;
  /** How many requests are under way at any time. */
  readonly connections: number;
  readonly ms: number;
}

export interface Outcome {
  readonly requests: number;
  /** Answers with another status than 200. */
  readonly refused: number;
  readonly ms: number;
  /** Milliseconds that 99 of 100 requests took at most. */
  readonly p99: number;
}

async function run({ port, ask, connections, ms }: Task): Promise<Outcome> {
  const request = bytesOf(ask, `127.0.0.1:${port}`);
  const callers = Array.from({ length: connections }, () => new Caller(port, request));
  try {
    await Promise.all(callers.map((caller) => caller.open()));
    const from = performance.now();
    await Promise.all(callers.map((caller) => caller.run(from + ms)));
    const took = performance.now() - from;
    const latencies = callers.flatMap((caller) => caller.latencies).sort((a, b) => a - b);
    const refused = callers.reduce((sum, caller) => sum + caller.refused, 0);
    const p99 = latencies[Math.ceil(0.99 * latencies.length) - 1] ?? 0;
    return { requests: latencies.length, refused, ms: took, p99 };
  } finally {
    for (const caller of callers) caller.close();
  }
}

process.on('message', (task: Task) => {
  run(task).then(
    (outcome) => process.send?.({ outcome }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
process.on('disconnect', () => process.exit());
