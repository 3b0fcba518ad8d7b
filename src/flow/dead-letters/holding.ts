import type { Services } from '../../core/exchange.ts';
import { detailOf } from '../../errors.ts';
import { Lease } from '../../store/lease.ts';
import type { Store } from '../../store/store.ts';
import { letterInUse } from './refusals.ts';

/** How long a letter stays taken when the process that replays it falls silent, and how often it says that it does. Milliseconds. */
const leaseMs = 60_000;
const renewMs = 15_000;

/** Does `work` while nobody else can: neither here nor in another process on the same store. Rejects with `letter-in-use`. */
export async function holding<T>(
  store: Store,
  { clock, log }: Pick<Services, 'clock' | 'log'>,
  id: string,
  work: () => Promise<T>,
): Promise<T> {
  const lease = await Lease.acquire(store, clock, `dead-letter ${id}`, leaseMs);
  if (!lease) throw letterInUse(id);
  let cancel = (): void => {};
  const renewLater = (): void => {
    cancel = clock.after(renewMs, () => void renew(), true);
  };
  const renew = async (): Promise<void> => {
    const held = await lease.renew().catch(() => lease.left > 0);
    if (held) renewLater();
    else log.warn('a dead letter that is being replayed was taken by somebody else', { letter: id });
  };
  renewLater();
  try {
    return await work();
  } finally {
    cancel();
    await lease.release().catch((thrown: unknown) => {
      log.warn('a dead letter stays taken for a minute', { letter: id, detail: detailOf(thrown) });
    });
  }
}
