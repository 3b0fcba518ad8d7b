import type { Clock } from '#sdk';
import type { Group } from './group.ts';

interface Holding {
  /** How often the entry was handed out, this time included. */
  readonly count: number;
  state: 'working' | 'done' | 'released';
}

/**
 * The entries that this member has: with the flow, or settled and the server has not said yet that it knows. An answer
 * that a broken connection swallowed is asked for again over the next one.
 */
export class Held {
  readonly #held = new Map<string, Holding>();
  readonly #clock: Clock;
  /** Called when there is more room. */
  readonly #onRoom: () => void;
  #group: Group | undefined;
  #done: string[] = [];
  #saying = new Set<Promise<void>>();
  #cancelKeep: () => void = () => {};

  constructor(clock: Clock, onRoom: () => void) {
    this.#clock = clock;
    this.#onRoom = onRoom;
  }

  get size(): number {
    return this.#held.size;
  }

  has(id: string): boolean {
    return this.#held.has(id);
  }

  /** False: it is here already. */
  add(id: string, count: number): boolean {
    if (this.#held.has(id)) return false;
    this.#held.set(id, { count, state: 'working' });
    return true;
  }

  done(id: string): void {
    this.#settle(id, 'done');
  }

  release(id: string): void {
    this.#settle(id, 'released');
  }

  /** What was not heard is said again; from now on the server is told every `keepEvery` what is worked on. */
  connect(group: Group, keepEvery: number): void {
    this.#group = group;
    for (const [id, holding] of this.#held) if (holding.state !== 'working') this.#say(id, holding);
    this.#keep(group, keepEvery);
  }

  disconnect(): void {
    this.#cancelKeep();
    this.#group = undefined;
    this.#done = [];
  }

  /** Resolves when the server has heard all, or is gone. */
  async flush(): Promise<void> {
    while (this.#saying.size > 0) await Promise.all(this.#saying);
  }

  #keep(group: Group, ms: number): void {
    const working = [...this.#held].flatMap(([id, { state }]) => (state === 'working' ? [id] : []));
    void group.keep(working).catch(() => undefined);
    this.#cancelKeep = this.#clock.after(ms, () => this.#keep(group, ms), true);
  }

  #settle(id: string, state: 'done' | 'released'): void {
    const holding = this.#held.get(id);
    if (!holding) return;
    holding.state = state;
    this.#say(id, holding);
  }

  #say(id: string, { state, count }: Holding): void {
    const group = this.#group;
    if (!group) return;
    if (state === 'released') this.#track(group.release(id, count), [id]);
    // All that are done in one turn go together.
    else if (this.#done.push(id) === 1) this.#track(this.#acknowledge(group));
  }

  async #acknowledge(group: Group): Promise<void> {
    await Promise.resolve();
    const ids = this.#done;
    this.#done = [];
    if (ids.length === 0) return;
    await group.acknowledge(ids);
    this.#forget(ids);
  }

  #forget(ids: readonly string[]): void {
    for (const id of ids) this.#held.delete(id);
    this.#onRoom();
  }

  #track(saying: Promise<void>, ids: readonly string[] = []): void {
    const heard: Promise<void> = saying
      .then(
        () => this.#forget(ids),
        // The connection is gone, and it is said again over the next one; or the group is, and there is nobody to tell.
        () => undefined,
      )
      .finally(() => this.#saying.delete(heard));
    this.#saying.add(heard);
  }
}
