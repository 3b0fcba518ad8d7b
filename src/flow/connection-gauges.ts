import type { Meter } from '../core/meter.ts';

const gauges = {
  source: ['dowel_source_disconnected', 'flow', 'Whether the source of a flow is not connected to its far side.'],
  endpoint: ['dowel_endpoint_disconnected', 'endpoint', 'Whether an endpoint is not connected to its far side.'],
} as const;

/** A gauge that is 1 while it is; 0 also where nobody knows before a call. */
export function whetherDisconnected(
  what: keyof typeof gauges,
  called: string,
  is: () => boolean,
): Parameters<Meter['gauge']> {
  const [name, label, help] = gauges[what];
  return [name, help, { [label]: called }, () => (is() ? 1 : 0)];
}
