import type { IntegrationSource } from '../core/written.ts';
import type { Runtime } from '../flow/runtime.ts';
import type { AdminWorld } from '../operations/admin/world.ts';
import type { LevelledLog } from '../operations/logger.ts';
import type { Metrics } from '../operations/metrics.ts';

/** What the admin server sees of a process that runs an integration. */
export function adminWorld(
  runtime: Runtime,
  metrics: Metrics,
  source: IntegrationSource,
  log: LevelledLog,
): AdminWorld {
  let measured: Promise<void> | undefined;
  return {
    get ready() {
      return runtime.ready;
    },
    get started() {
      return runtime.started;
    },
    get integration() {
      return runtime.integration;
    },
    log,
    status: () => runtime.status(),
    sourceOf: (flow) => runtime.sourceOf(flow),
    breakerOf: (endpoint) => runtime.breakerOf(endpoint),
    deadLetters: () => runtime.deadLetters(),
    async metrics() {
      // Watching the event loop costs a little: it begins when somebody looks for the first time.
      measured ??= import('../operations/process-metrics.ts').then(({ meterProcess }) => meterProcess(metrics, source));
      await measured;
      return metrics.text();
    },
  };
}
