import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Meter } from '../core/meter.ts';

const resolutionMs = 20;

/** Figures of the process itself, under the names that Prometheus' own clients use. Delays of the event loop are those since somebody last looked. */
export function meterProcess(meter: Meter): void {
  const started = performance.timeOrigin / 1000;
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  let looked = { mean: 0, max: 0, p99: 0 };
  meter.gauge('process_start_time_seconds', 'When it began, since the epoch.', {}, () => started);
  meter.gauge('process_cpu_seconds_total', 'Processor time used.', {}, () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  meter.gauge('process_resident_memory_bytes', 'Memory in use.', {}, () => process.memoryUsage.rss());
  meter.gauge('nodejs_heap_size_used_bytes', 'JavaScript heap in use.', {}, () => process.memoryUsage().heapUsed);
  meter.gauge('nodejs_eventloop_lag_mean_seconds', 'Mean delay of the event loop.', {}, () => {
    // The first of the three that is asked for: they belong together.
    const over = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolutionMs / 1000) || 0;
    looked = { mean: over(delay.mean), max: over(delay.max), p99: over(delay.percentile(99)) };
    delay.reset();
    return looked.mean;
  });
  meter.gauge('nodejs_eventloop_lag_p99_seconds', 'Delay that 99 of 100 turns stayed below.', {}, () => looked.p99);
  meter.gauge('nodejs_eventloop_lag_max_seconds', 'Longest delay.', {}, () => looked.max);
}

/** What runs here; the returned function takes it away when something else does. */
export function meterInfo(meter: Meter, { name, version = '' }: Named): () => void {
  const labels = { integration: name, version, node: process.versions.node };
  return meter.gauge('dowel_info', 'What runs here.', labels, () => 1);
}

export interface Named {
  readonly name: string;
  readonly version?: string | undefined;
}
