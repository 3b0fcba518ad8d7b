import { failure } from '../../errors.ts';

/** A message that has its turn. */
export interface Turn {
  /** Lets others run while this message waits; its lane stays its own. */
  pause(): void;
  /** Waits until it may run again. Rejects when nothing begins any more. */
  resume(): Promise<void>;
  /** The message is settled: the next one of its lane comes. */
  leave(): void;
}

interface Waiting {
  readonly lane: string | undefined;
  readonly begin: () => void;
  readonly refuse: (reason: unknown) => void;
}

/**
 * Whose turn it is: at most so many messages run at once, in the order in which they came; of one lane one after the
 * other, from the beginning of the first until it is settled.
 */
export class Lanes {
  #free: number;
  /** Those who only wait for room, in their order. */
  readonly #line = new Set<Waiting>();
  /** Lanes in use, with those who wait behind. */
  readonly #lanes = new Map<string, Set<Waiting>>();
  #closed: { readonly reason: unknown } | undefined;

  constructor(count: number) {
    this.#free = count;
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return [...this.#lanes.values()].reduce((sum, behind) => sum + behind.size, this.#line.size);
  }

  /** At once where nobody waits and there is room. */
  enter(lane: string | undefined): Turn | Promise<Turn> {
    if (lane === undefined && this.#free > 0 && this.#line.size === 0 && !this.#closed) {
      this.#free--;
      return this.#turn(lane);
    }
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(this.#closed.reason);
        return;
      }
      const one: Waiting = { lane, begin: () => resolve(this.#turn(lane)), refuse: reject };
      const behind = lane === undefined ? undefined : this.#lanes.get(lane);
      if (behind) {
        behind.add(one);
        return;
      }
      if (lane !== undefined) this.#lanes.set(lane, new Set());
      this.#line.add(one);
      this.#next();
    });
  }

  /** Nothing begins any more: all who wait are refused. Those who run go on. */
  close(reason: unknown): void {
    if (this.#closed) return;
    this.#closed = { reason };
    const all = [...this.#line, ...[...this.#lanes.values()].flatMap((behind) => [...behind])];
    this.#line.clear();
    this.#lanes.clear();
    for (const one of all) one.refuse(reason);
  }

  #turn(lane: string | undefined): Turn {
    let state: 'running' | 'paused' | 'left' = 'running';
    const freed = (): void => {
      this.#free++;
      this.#next();
    };
    return {
      pause: () => {
        if (state !== 'running') return;
        state = 'paused';
        freed();
      },
      resume: () =>
        new Promise((resolve, reject) => {
          if (state !== 'paused') {
            reject(failure('bug', { detail: `a turn that is ${state} cannot be resumed` }));
            return;
          }
          if (this.#closed) {
            reject(this.#closed.reason);
            return;
          }
          const begin = (): void => {
            state = 'running';
            resolve();
          };
          this.#line.add({ lane, begin, refuse: reject });
          this.#next();
        }),
      leave: () => {
        if (state === 'left') return;
        const held = state === 'running';
        state = 'left';
        if (lane !== undefined) this.#leaveLane(lane);
        if (held) freed();
        else this.#next();
      },
    };
  }

  #leaveLane(lane: string): void {
    const behind = this.#lanes.get(lane);
    const [first] = behind ?? [];
    if (!behind || !first) {
      this.#lanes.delete(lane);
      return;
    }
    behind.delete(first);
    this.#line.add(first);
  }

  #next(): void {
    while (this.#free > 0) {
      const [first] = this.#line;
      if (!first) return;
      this.#line.delete(first);
      this.#free--;
      first.begin();
    }
  }
}
