/** Besides what it holds, an entry takes about so many bytes. */
const overhead = 200;

interface Entry<T> {
  readonly value: T;
  readonly bytes: number;
}

/** Values by key in bounded memory: when there is no room, what was not asked for for longest goes. */
export class BoundedCache<T> {
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #dropped: (key: string, value: T) => void;
  /** The first is the one that was not asked for for longest. */
  readonly #entries = new Map<string, Entry<T>>();
  #bytes = 0;

  /** `dropped` hears of every value that goes, whatever the reason. */
  constructor(maxEntries: number, maxBytes: number, dropped: (key: string, value: T) => void = () => {}) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
    this.#dropped = dropped;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** `false`: it is larger than all that may be kept together. */
  set(key: string, value: T, size: number): boolean {
    this.delete(key);
    const bytes = size + key.length * 2 + overhead;
    if (bytes > this.#maxBytes) return false;
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes && this.#entries.size <= this.#maxEntries) break;
      this.delete(oldest);
    }
    return true;
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
    this.#dropped(key, entry.value);
  }
}
