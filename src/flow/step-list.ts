import type { Handler } from '../core/exchange.ts';
import { sequence } from '../core/pipeline.ts';
import type { Compiled, Evaluate, Surrounding } from '../steps/step.ts';
import { observe } from './observe.ts';

/** A step among others: one after the other, or around those behind it. */
export type Step = Compiled | (Surrounding & { readonly ends: false });

export function joined(steps: readonly Step[]): Handler {
  const at = steps.findIndex((step) => 'around' in step);
  const first = (at < 0 ? steps : steps.slice(0, at)).flatMap((step) => ('handler' in step ? [step.handler] : []));
  const step = steps[at];
  if (!step || !('around' in step)) return sequence(first);
  return sequence([...first, step.around(joined(steps.slice(at + 1)))]);
}

/** Tells `ran` of every run. */
export const told =
  (ran: () => void, handler: Handler): Handler =>
  (exchange) => {
    ran();
    return handler(exchange);
  };

/** `seen`: what stands around the step itself, as around any other. */
export function surrounding(
  { around }: Surrounding,
  onlyWhen: Evaluate | undefined,
  place: string,
  seen: (handler: Handler) => Handler,
): Surrounding['around'] {
  return (rest) => {
    const inside = seen(around(rest));
    if (!onlyWhen) return inside;
    const asked = observe(async (exchange) => ((await onlyWhen(exchange)) === true ? exchange : undefined), place);
    return async (exchange) => ((await asked(exchange)) ? inside(exchange) : rest(exchange));
  };
}
