const mb = 1024 ** 2;

/** So much comes in between two looks at the memory, and so much may be garbage. */
const betweenBytes = 16 * mb;

/**
 * So far the young heap may grow. V8 makes it ever larger where much is under way, up to a hundred megabytes that a process
 * of this size has no other use for.
 */
const largestYoung = 32 * mb;

type Collect = (options: { readonly type: 'minor' }) => void;

/**
 * Sees to it that bodies take no memory for longer than they are needed. What was only passed on is given back piece by
 * piece. Other bytes are garbage as soon as they are read, but V8 looks only at its own heap, which holds little more than
 * a reference to each piece: 60 MB pile up before it collects, and then it collects everything. So young garbage is
 * collected before that, unless V8 has just done it of itself; more often costs more than it saves, for what is under way
 * is taken for old when it has survived two collections.
 */
export class BodyBytes {
  #bytes = 0;
  /** Of all buffers, when least of them was garbage. */
  #left = 0;
  #collect: Collect | undefined;
  /** One for all of a process: what counts is the sum of all that comes in. */
  static readonly key = 'http body bytes';

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < betweenBytes) return;
    this.#bytes = 0;
    this.#look(process.getBuiltinModule('node:v8'));
  }

  #look(v8: typeof import('node:v8')): void {
    const young = v8.getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
    // Said again each time: a program that has just started sets the flag itself, a second later.
    if (young && young.space_size >= largestYoung) v8.setFlagsFromString('--semi-space-growth-factor=1');
    const now = v8.getHeapStatistics().external_memory;
    // V8 has collected of itself, or a peak is over.
    this.#left = Math.min(this.#left, now);
    if (now < this.#left + betweenBytes) return;
    this.#collect ??= collector(v8);
    this.#collect({ type: 'minor' });
    this.#left = v8.getHeapStatistics().external_memory;
  }

  async close(): Promise<void> {}
}

/** V8's `gc`, which it shows only to contexts that are made while its flag is set. */
function collector(v8: typeof import('node:v8')): Collect {
  v8.setFlagsFromString('--expose-gc');
  const collect: unknown = process.getBuiltinModule('node:vm').runInNewContext('gc');
  v8.setFlagsFromString('--no-expose-gc');
  return typeof collect === 'function' ? (collect as Collect) : () => {};
}
