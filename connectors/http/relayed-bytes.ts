/** So much is relayed between two collections. */
const betweenBytes = 4 * 1024 * 1024;

type Collect = (options: { readonly type: 'minor' }) => void;

/**
 * Sees to it that relaying takes no memory. Bytes are garbage as soon as they are sent on, but V8 looks only at its own
 * heap, which holds little more than a reference to each piece: 60 MB pile up before it collects. A collection of young
 * garbage every few MB costs 0.2 ms, and less CPU altogether, because the memory stays in the caches of the processor.
 */
export class RelayedBytes {
  #bytes = 0;
  #collect: Collect | undefined;

  /** One for all of a process: what counts is the sum of all that is relayed. */
  static readonly key = 'http relayed bytes';

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < betweenBytes) return;
    this.#bytes = 0;
    this.#collect ??= collector();
    this.#collect({ type: 'minor' });
  }

  async close(): Promise<void> {}
}

/** V8's `gc`, which it shows only to contexts that are made while its flag is set. */
function collector(): Collect {
  const v8 = process.getBuiltinModule('node:v8');
  v8.setFlagsFromString('--expose-gc');
  const collect: unknown = process.getBuiltinModule('node:vm').runInNewContext('gc');
  v8.setFlagsFromString('--no-expose-gc');
  return typeof collect === 'function' ? (collect as Collect) : () => {};
}
