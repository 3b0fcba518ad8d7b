import { failure } from '../errors.ts';

interface Entry {
  readonly value: { close(): Promise<void> };
  users: number;
}

/** Resources that several connectors use together (one server, one connection), also across a reload. */
export class SharedResources {
  readonly #entries = new Map<string, Entry>();

  /** The resource `key`: made by the first who asks, closed after the last has released it. */
  share<T extends { close(): Promise<void> }>(
    key: string,
    make: () => T,
  ): { readonly value: T; release(): Promise<void> } {
    let entry = this.#entries.get(key);
    if (!entry) {
      entry = { value: make(), users: 0 };
      this.#entries.set(key, entry);
    }
    entry.users++;
    const mine = entry;
    let released = false;
    return {
      value: mine.value as T,
      release: async () => {
        if (released) return;
        released = true;
        mine.users--;
        if (mine.users < 0) throw failure('bug', { detail: `${key} was released too often` });
        if (mine.users > 0) return;
        this.#entries.delete(key);
        await mine.value.close();
      },
    };
  }
}
