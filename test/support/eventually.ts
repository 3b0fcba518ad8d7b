import { setTimeout as pause } from 'node:timers/promises';

/** Waits for what real files and processes do in their own time; fails when it has not happened within `within` ms. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  within = 10_000,
): Promise<void> {
  const end = performance.now() + within;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`did not happen within ${within} ms: ${what}`);
    await pause(5);
  }
}
