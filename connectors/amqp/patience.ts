import { type Clock, type Failure, failure } from '#sdk';
import type { Patience } from './publisher.ts';

/** Waits `ms` for something that no message's life limits. */
export function patienceOf(ms: number, what: string, clock: Clock): Patience & { readonly end: () => void } {
  const reason = (): Failure => failure('timeout', { what, ms });
  let over = false;
  const listeners = new Set<(reason: Failure) => void>();
  const end = clock.after(
    ms,
    () => {
      over = true;
      for (const listener of [...listeners]) listener(reason());
    },
    true,
  );
  return {
    end,
    onAbort(listener) {
      if (over) listener(reason());
      else listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
