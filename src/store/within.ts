import type { Clock } from '../core/clock.ts';
import type { Failure } from '../errors.ts';

/** `work`, or after `ms` the failure that `late` makes. The work goes on; `late` is to end it if it can. */
export function within<T>(clock: Clock, ms: number, work: Promise<T>, late: () => Failure): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(late()));
    work.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
}
