import type { Clock } from '#sdk';
import type { Group } from './group.ts';
import type { Member } from './member.ts';

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
  readonly #member: Member;
  /** Called when there is more room. */
  readonly #onRoom: () => void;
  #group: Group | undefined;
  #done: string[] = [];
  #saying = new Set<Promise<void>>();
  #cancelKeep: () => void = () => {};

  constructor(clock: Clock, member: Member, onRoom: () => void) {
    this.#clock = clock;
    this.#member = member;
    this.#onRoom = onRoom;
  }

  get size(): number {
    return this.#held.size;
  }

  /** False: it is here already. */
  add(id: string, count: number): boolean {
    if (this.#member.has(id)) return false;
    this.#member.add(id);
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

  /** What nobody could be told comes again to whoever comes. */
  end(): void {
    this.disconnect();
    this.#forget([...this.#held.keys()]);
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
    if (state === 'released') this.#track(this.#release(group, id, count));
    // All that are done in one turn go together.
    else if (this.#done.push(id) === 1) this.#track(this.#acknowledge(group));
  }

  async #release(group: Group, id: string, count: number): Promise<void> {
    await group.release(id, count);
    this.#forget([id]);
    this.#member.gaveBack();
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
    for (const id of ids) {
      this.#held.delete(id);
      this.#member.delete(id);
    }
    this.#onRoom();
  }

  #track(saying: Promise<void>): void {
    const heard: Promise<void> = saying
      // The connection is gone, and it is said again over the next one; or the group is, and there is nobody to tell.
      .catch(() => undefined)
      .finally(() => this.#saying.delete(heard));
    this.#saying.add(heard);
  }
}
