import type { Services } from '../../core/exchange.ts';
import { toFailure } from '../../errors.ts';
import { Lease } from '../../store/lease.ts';
import type { Store } from '../../store/store.ts';

/** A lease that is renewed until it is released. */
export interface HeldLease {
  /** Never rejects: one that cannot be given back ends by itself. */
  release(): Promise<void>;
}

/** `undefined`: somebody else has it. A store of our own needs none. */
export async function heldLease(
  store: Store,
  { clock, log }: Pick<Services, 'clock' | 'log'>,
  name: string,
  ms: number,
): Promise<HeldLease | undefined> {
  if (!store.shared) return { release: async () => {} };
  const lease = await Lease.acquire(store, clock, name, ms);
  if (!lease) return undefined;
  let cancel = (): void => {};
  const renewLater = (): void => {
    cancel = clock.after(ms / 3, () => void renew(), true);
  };
  const renew = async (): Promise<void> => {
    try {
      if (!(await lease.renew())) {
        log.warn('what was being worked on was taken over by another process', { lease: name });
        return;
      }
    } catch (thrown) {
      log.warn('a lease could not be renewed', { lease: name, code: toFailure(thrown).code });
    }
    renewLater();
  };
  renewLater();
  return {
    async release() {
      cancel();
      await lease.release().catch(() => undefined);
    },
  };
}
