/** Traces, where the environment names a receiver; nothing of it is loaded else. */
import { systemClock } from '../core/clock.ts';
import type { Log } from '../core/exchange.ts';
import type { Meter } from '../core/meter.ts';
import { systemRandom } from '../core/random.ts';
import type { Tracing, TracingWorld } from '../operations/tracing/open.ts';
import type { TracingSettings } from '../operations/tracing/settings.ts';
import { EnvironmentError } from './usage.ts';
import { version } from './version.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says about traces; `undefined`: none are recorded. */
export async function tracingOf(env: Environment): Promise<TracingSettings | undefined> {
  if (!env['OTEL_EXPORTER_OTLP_ENDPOINT'] && !env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']) return undefined;
  const { tracingSettings } = await import('../operations/tracing/settings.ts');
  const settings = tracingSettings(env);
  if (typeof settings === 'string') throw new EnvironmentError(settings);
  return settings;
}

/** `undefined` where there are no settings. */
export async function openTraces(
  settings: TracingSettings | undefined,
  world: Pick<TracingWorld, 'integration' | 'secrets'> & { readonly log: Log; readonly meter: Meter },
): Promise<Tracing | undefined> {
  if (!settings) return undefined;
  const { openTracing } = await import('../operations/tracing/open.ts');
  return openTracing(settings, { ...world, clock: systemClock, random: systemRandom, version: version() });
}

/** However long the drain took: a receiver that is near needs no longer. Milliseconds. */
const shortest = 1_000;

/** Sends what waits, within what is left of the time to finish in. `since`: when the stop began, of the system's clock. */
export async function closeTraces(tracing: Tracing | undefined, since: number, drainTimeout: number): Promise<void> {
  await tracing?.close(Math.max(shortest, drainTimeout - (systemClock.monotonic() - since)));
}
