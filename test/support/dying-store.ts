import type { ListOptions, Page, Store, Write, Written } from '../../src/store/store.ts';

/** What ends a process at a write, as a crash would: nothing after it happens. */
export interface Death {
  /** Which write, from 1; more than there are: none. */
  readonly at: number;
  /** Before it is on the disk, or just after. */
  readonly when: 'before' | 'after';
}

/** A store whose process dies at one of its writes: that call, and all later ones, never settle. */
export class DyingStore implements Store {
  readonly #store: Store;
  readonly #death: Death;
  readonly #die: () => void;
  writes = 0;
  dead = false;

  constructor(store: Store, death: Death, die: () => void = () => {}) {
    this.#store = store;
    this.#death = death;
    this.#die = die;
  }

  get kind(): Store['kind'] {
    return this.#store.kind;
  }

  get shared(): boolean {
    return this.#store.shared;
  }

  get durable(): boolean {
    return this.#store.durable;
  }

  get(space: string, key: string): ReturnType<Store['get']> {
    return this.dead ? never() : this.#store.get(space, key);
  }

  list(space: string, options: ListOptions): Promise<Page> {
    return this.dead ? never() : this.#store.list(space, options);
  }

  async write(batch: readonly Write[]): Promise<Written> {
    if (this.dead) return never();
    this.writes++;
    if (this.writes !== this.#death.at) return this.#store.write(batch);
    this.dead = true;
    if (this.#death.when === 'after') await this.#store.write(batch);
    this.#die();
    return never();
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** A store that stays open when the process that has it stops. */
export const surviving = (store: Store): Store =>
  new DyingStore(store, { at: Number.POSITIVE_INFINITY, when: 'after' });

const never = <T>(): Promise<T> => new Promise(() => {});
