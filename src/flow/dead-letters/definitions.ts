import { failure } from '../../errors.ts';
import type { Entry, Store, Write } from '../../store/store.ts';
import type { Definition } from './definition.ts';
import { spaces } from './keys.ts';
import { countOf, keysOf, partsOf, readParts, togetherBytes } from './parts.ts';

interface Head {
  readonly count: number;
}

const space = spaces.definitions;
const useKey = (hash: string, letter: string): string => `${hash} ${letter}`;
const headOf = (value: Uint8Array): Head => JSON.parse(Buffer.from(value).toString()) as Head;

/**
 * The definitions that dead letters were given up by, each kept as long as a letter needs it. Who keeps a letter gives the
 * head of its definition a new version; who removes the last one deletes the head of the version that it saw before it
 * looked for others. So none is deleted that somebody has just begun to need.
 */
export class Definitions {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** For the batch that keeps a letter: says that it needs this definition, which is written where it is not there. */
  async use(definition: Definition, letter: string): Promise<readonly Write[]> {
    const { hash } = definition;
    const head = (await this.#store.get(space, hash)) ?? (await this.#put(definition));
    if (!head) return [];
    return [
      { op: 'put', space, key: hash, value: head.value, when: head.version },
      { op: 'put', space: spaces.uses, key: useKey(hash, letter), value: new Uint8Array(0) },
    ];
  }

  /** For the batch that removes a letter. */
  unuse(hash: string, letter: string): Write {
    return { op: 'delete', space: spaces.uses, key: useKey(hash, letter) };
  }

  /** A letter that needed it is gone: removes it where no other does. */
  async leave(hash: string): Promise<void> {
    const head = await this.#store.get(space, hash);
    if (!head) return;
    const { entries, next } = await this.#store.list(spaces.uses, { prefix: `${hash} `, limit: 1 });
    if (entries.length > 0 || next !== undefined) return;
    await this.#store.write([
      { op: 'delete', space, key: hash, when: head.version },
      ...keysOf(hash, headOf(head.value).count).map((key): Write => ({ op: 'delete', space, key })),
    ]);
  }

  /** Removes what a crash has left behind. */
  async sweep(): Promise<void> {
    let after: string | undefined;
    do {
      const { entries, next } = await this.#store.list(space, { after, limit: 1 });
      const hash = entries[0]?.key.split(' ', 1)[0];
      if (hash !== undefined) await this.leave(hash);
      // All parts of it are skipped.
      after = hash === undefined ? next : `${hash} \u{10ffff}`;
    } while (after !== undefined);
  }

  async get(hash: string): Promise<Definition | undefined> {
    const head = await this.#store.get(space, hash);
    const bytes = head && (await readParts(this.#store, space, hash, headOf(head.value).count));
    return bytes && { hash, files: JSON.parse(Buffer.from(bytes).toString()) as Definition['files'] };
  }

  /** Its head; `undefined` when it is too large to be kept. */
  async #put({ hash, files }: Definition): Promise<Pick<Entry, 'value' | 'version'> | undefined> {
    const bytes = Buffer.from(JSON.stringify(files));
    if (bytes.byteLength > togetherBytes) return undefined;
    const value = Buffer.from(JSON.stringify({ count: countOf(bytes) } satisfies Head));
    const written = await this.#store.write([
      { op: 'put', space, key: hash, value, when: 'absent' },
      ...partsOf(space, hash, bytes),
    ]);
    if (written.written) return { value, version: written.version };
    const other = await this.#store.get(space, hash);
    if (!other) throw failure('store', { store: this.#store.kind, detail: 'a definition comes and goes', sent: false });
    return other;
  }
}
