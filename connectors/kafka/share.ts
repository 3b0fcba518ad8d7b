import { atMost, type Clock, sleep } from '#sdk';
import type { Committer } from './committer.ts';
import type { Assignment, Membership } from './membership.ts';
import { Partition, partitionName } from './partition.ts';
import { explain } from './trouble.ts';

export interface ShareWorld {
  readonly clock: Clock;
  readonly membership: () => Pick<Membership, 'committed'>;
  readonly committer: () => Committer;
  /** How long what is under way may take to finish when its partition goes to another member. */
  readonly patience: number;
  /** Where a partition begins of which nothing is committed. */
  readonly start: (topic: string, partition: number) => Promise<bigint>;
  /** A partition is ready to be fetched. */
  readonly opened: () => void;
  readonly trouble: (detail: string) => void;
}

const pauseMs = 500;

/** The partitions that are ours: opened when the group gives them, finished and given up when it takes them. */
export class Share {
  readonly #world: ShareWorld;
  readonly #ending = new AbortController();
  /** Ours for the group; each time a partition comes it is another one. */
  readonly #owned = new Map<string, symbol>();
  readonly #open = new Map<string, Partition>();
  #list: readonly Partition[] = [];

  constructor(world: ShareWorld) {
    this.#world = world;
  }

  get partitions(): readonly Partition[] {
    return this.#list;
  }

  /** All that is ours is ready. */
  get whole(): boolean {
    return this.#open.size === this.#owned.size;
  }

  assigned(ours: Assignment): void {
    const names = namesOf(ours);
    this.#drop([...this.#owned.keys()].filter((name) => !names.has(name)));
    const added = ours
      .map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.filter((index) => !this.#owned.has(partitionName(topic, index))),
      }))
      .filter(({ partitions }) => partitions.length > 0);
    const tokens = new Map([...namesOf(added)].map((name) => [name, Symbol(name)]));
    for (const [name, token] of tokens) this.#owned.set(name, token);
    if (added.length > 0) void this.#begin(added, tokens);
  }

  /** What is not in `ours` is finished, or released when that takes too long; then others may have it. */
  async giveUp(ours: Assignment, known: boolean): Promise<void> {
    const names = namesOf(ours);
    const going = [...this.#owned.keys()].filter((name) => !names.has(name));
    const open = going.flatMap((name) => this.#open.get(name) ?? []);
    if (known && open.length > 0) {
      const { clock, patience } = this.#world;
      await atMost(clock, patience, Promise.all(open.map((partition) => partition.giveUp())));
      for (const partition of open) partition.release();
      await this.#world.committer().flush(open);
    }
    this.#drop(going);
  }

  stop(): void {
    this.#ending.abort(new Error('the source stops'));
  }

  #drop(names: readonly string[]): void {
    for (const name of names) {
      const partition = this.#open.get(name);
      void partition?.giveUp();
      partition?.release();
      this.#owned.delete(name);
      this.#open.delete(name);
    }
    this.#list = [...this.#open.values()];
  }

  async #begin(added: Assignment, tokens: ReadonlyMap<string, symbol>): Promise<void> {
    const { signal } = this.#ending;
    const stillOurs = (name: string): boolean => this.#owned.get(name) === tokens.get(name);
    while (!signal.aborted && [...tokens.keys()].some(stillOurs)) {
      try {
        const opened = await this.#positions(added);
        for (const partition of opened) if (stillOurs(partition.name)) this.#open.set(partition.name, partition);
        this.#list = [...this.#open.values()];
        // From here on a restart goes on where this one began, also where it begins with the latest.
        if (opened.some((one) => one.committed === undefined)) void this.#world.committer().flush();
        this.#world.opened();
        return;
      } catch (thrown) {
        if (!signal.aborted) this.#world.trouble(explain(thrown).detail);
        await sleep(this.#world.clock, pauseMs, signal).catch(() => undefined);
      }
    }
  }

  async #positions(added: Assignment): Promise<readonly Partition[]> {
    const committed = await this.#world.membership().committed(added);
    const opening = added.flatMap(({ topic, partitions }) =>
      partitions.map(async (index) => {
        const known = committed.get(topic)?.[index] ?? -1n;
        if (known >= 0n) return new Partition(topic, index, known, known);
        return new Partition(topic, index, await this.#world.start(topic, index), undefined);
      }),
    );
    return Promise.all(opening);
  }
}

const namesOf = (assignment: Assignment): ReadonlySet<string> =>
  new Set(assignment.flatMap(({ topic, partitions }) => partitions.map((index) => partitionName(topic, index))));
