import type { IntegrationSource } from '../core/written.ts';
import type { Runtime } from '../flow/runtime.ts';
import type { AdminWorld } from '../operations/admin/world.ts';
import type { LevelledLog } from '../operations/logger.ts';
import type { Metrics } from '../operations/metrics.ts';
import type { Named } from '../operations/process-metrics.ts';

/** What the admin server sees of a process that runs an integration. */
export function adminWorld(
  runtime: Runtime,
  metrics: Metrics,
  source: IntegrationSource,
  log: LevelledLog,
): AdminWorld {
  let measured: Promise<() => void> | undefined;
  // Watching the event loop costs a little: it begins when somebody looks for the first time.
  const measuring = async (): Promise<() => void> => {
    const { meterInfo, meterProcess } = await import('../operations/process-metrics.ts');
    meterProcess(metrics);
    let told: Named | undefined;
    let forget = (): void => {};
    return () => {
      const { integration: name, version } = runtime.status() ?? { integration: source.name, version: source.version };
      if (told?.name === name && told.version === version) return;
      told = { name, version };
      forget();
      forget = meterInfo(metrics, told);
    };
  };
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
    async document(kind) {
      const { source: running } = runtime;
      if (!running) return undefined;
      const [{ documentOf }, { connectors }] = await Promise.all([
        import('../documents/document.ts'),
        import('../../connectors/index.ts'),
      ]);
      return documentOf(kind, running, connectors);
    },
    async metrics() {
      measured ??= measuring();
      const tellWhatRuns = await measured;
      tellWhatRuns();
      return metrics.text();
    },
  };
}
