import { setTimeout as pause } from 'node:timers/promises';

/**
 * Waits for what real files and processes do in their own time; fails when it has not happened within `within` ms. Looks
 * less often the longer it waits: looking takes from the processor what they need.
 */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  within = 30_000,
): Promise<void> {
  const begun = performance.now();
  while (!(await holds())) {
    const waited = performance.now() - begun;
    if (waited > within) throw new Error(`did not happen within ${within} ms: ${what}`);
    await pause(Math.min(30, 5 + waited / 20));
  }
}
