import type { Clock } from '#sdk';

/** How long the broker may take to say goodbye: of one that is gone nobody hears. */
export const goodbyeMs = 1_000;

/** Waits for `work`, which never rejects, no longer than `ms`. */
export async function atMost(work: Promise<unknown>, ms: number, clock: Clock): Promise<void> {
  let cancel = (): void => {};
  const late = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve);
  });
  await Promise.race([work, late]);
  cancel();
}

export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
