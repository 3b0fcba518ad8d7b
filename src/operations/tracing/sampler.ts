/** Which traces are recorded (https://opentelemetry.io/docs/specs/otel/trace/sdk/#sampling). */
import type { Trace } from '../../core/trace.ts';

export const samplers = [
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
  'always_on',
  'always_off',
  'traceidratio',
] as const;

export interface SamplerSettings {
  readonly name: (typeof samplers)[number];
  /** Of `traceidratio`: which part, between 0 and 1. */
  readonly ratio: number;
}

export type Sampler = (trace: Pick<Trace, 'id' | 'parent' | 'sampled'>) => boolean;

export function samplerOf({ name, ratio }: SamplerSettings): Sampler {
  const own: Sampler = name.endsWith('always_on')
    ? () => true
    : name.endsWith('always_off')
      ? () => false
      : ({ id }) => randomnessOf(id) >= 1 - ratio;
  if (!name.startsWith('parentbased_')) return own;
  return (trace) => (trace.parent === undefined ? own(trace) : trace.sampled);
}

/**
 * A number in [0, 1) that every process draws from the id alike: its last 56 bits, as in level 2 of W3C Trace Context.
 * The bits before them are not all random where the id is that of a UUID.
 */
const randomnessOf = (traceId: string): number => Number.parseInt(traceId.slice(18), 16) / 2 ** 56;
