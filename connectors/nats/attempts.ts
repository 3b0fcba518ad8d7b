/** More would wait for messages that other processes have got by now. */
const most = 10_000;

/**
 * Which attempt a message is: as often as the server has delivered it, unless this process was told another number when
 * it gave the message back. The server cannot be told, so another process starts from its count.
 */
export class Attempts {
  /** By message: the attempt that the delivery with this count is. */
  readonly #told = new Map<string, { readonly count: number; readonly attempt: number }>();

  of(key: string, count: number): number {
    const told = this.#told.get(key);
    return told ? Math.max(1, told.attempt + count - told.count) : count;
  }

  /** The next delivery of it is this attempt. */
  tell(key: string, count: number, attempt: number): void {
    this.#told.set(key, { count: count + 1, attempt });
    const [oldest] = this.#told.keys();
    if (this.#told.size > most && oldest !== undefined) this.#told.delete(oldest);
  }

  forget(key: string): void {
    this.#told.delete(key);
  }
}
