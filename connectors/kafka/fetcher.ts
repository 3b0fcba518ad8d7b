import { type Clock, sleep } from '#sdk';
import type { Cluster } from './cluster.ts';
import type { Library } from './library.ts';
import type { Partition } from './partition.ts';
import { explain, meaningOf, responseOf } from './trouble.ts';
import { visibleRecords } from './visible-records.ts';

export interface FetchWorld {
  readonly library: Library;
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** How many bytes may be fetched ahead, in all. */
  readonly maxBytes: number;
  /** How many records of one partition may wait here before more of it is fetched. */
  readonly enough: number;
  readonly partitions: () => readonly Partition[];
  /** Records came. */
  readonly came: () => void;
  /** The log does not have the position (any more). */
  readonly outOfRange: (partition: Partition) => Promise<void>;
  readonly trouble: (detail: string) => void;
}

type Answer = Awaited<ReturnType<Library['fetchV11']['api']['async']>>;

const partitionMaxBytes = 1 << 20;
const leastBytes = 64 << 10;
/** How long a broker may wait for records to come. */
const patience = 500;
/** As long as one partition has enough: it must not wait for the silence of the others when it needs more. */
const shortPatience = 100;
const pauseAfterTrouble = 250;
const readCommitted = 1;

/**
 * Keeps asking the brokers for more of the partitions that have not enough: of each broker at most one answer is under
 * way. Nothing is asked for while more than `maxBytes` wait here.
 */
export class Fetcher {
  readonly #world: FetchWorld;
  readonly #asked = new Set<number>();
  readonly #ending = new AbortController();
  #looking: Promise<void> | undefined;
  #again = false;
  /** How many brokers lead partitions of ours. */
  #leaders = 0;

  constructor(world: FetchWorld) {
    this.#world = world;
  }

  /** Something may be wanted now. `moved`: of other partitions than before. */
  wake(moved = false): void {
    // As long as all are being asked there is nobody to ask: it is looked again with each answer.
    if (!moved && this.#asked.size > 0 && this.#asked.size >= this.#leaders) return;
    this.#again = true;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
  }

  /** Asks for nothing more; what is still answered is dropped. */
  stop(): void {
    this.#ending.abort(new Error('the fetcher has ended'));
  }

  get #ended(): boolean {
    return this.#ending.signal.aborted;
  }

  async #look(): Promise<void> {
    while (this.#again && !this.#ended) {
      this.#again = false;
      try {
        for (const [node, { wanted, patient }] of await this.#byLeader()) {
          if (!this.#asked.has(node)) this.#ask(node, wanted, patient);
        }
      } catch (thrown) {
        await this.#trouble(thrown);
      }
    }
  }

  async #byLeader(): Promise<ReadonlyMap<number, { wanted: Partition[]; patient: boolean }>> {
    const { partitions, cluster, maxBytes, enough } = this.#world;
    const all = partitions();
    const room = all.reduce((sum, one) => sum + one.bytes, 0) < maxBytes;
    const byLeader = new Map<number, { wanted: Partition[]; patient: boolean }>();
    for (const partition of all) {
      const { partitions: leaders } = await cluster.leaders(partition.topic);
      const leader = leaders[partition.index];
      if (leader === undefined) throw new this.#world.library.ProtocolError('LEADER_NOT_AVAILABLE');
      const entry = byLeader.get(leader) ?? { wanted: [], patient: true };
      if (room && partition.waiting < enough) entry.wanted.push(partition);
      else entry.patient = false;
      byLeader.set(leader, entry);
    }
    this.#leaders = byLeader.size;
    return byLeader;
  }

  #ask(node: number, wanted: readonly Partition[], patient: boolean): void {
    if (wanted.length === 0 || this.#ended) return;
    this.#asked.add(node);
    void this.#fetch(node, wanted, patient).finally(() => {
      this.#asked.delete(node);
      this.wake();
    });
  }

  async #fetch(node: number, wanted: readonly Partition[], patient: boolean): Promise<void> {
    const { library, cluster } = this.#world;
    const asked = wanted.map((partition) => ({ partition, position: partition.position }));
    let answer: Answer;
    try {
      const connection = await cluster.connection(node);
      answer = await library.fetchV11.api.async(
        connection,
        patient ? patience : shortPatience,
        1,
        Math.max(leastBytes, this.#room()),
        readCommitted,
        0,
        // Without a session (KIP-227): each request says all that it wants.
        -1,
        topicsOf(asked),
        [],
        '',
      );
    } catch (thrown) {
      const partial = responseOf<Answer>(thrown);
      if (!partial) return this.#trouble(thrown);
      answer = partial;
    }
    if (this.#ended) return;
    // Asking where a log begins may fail, too.
    await this.#received(answer, asked).catch((thrown: unknown) => this.#trouble(thrown));
  }

  #room(): number {
    const { partitions, maxBytes } = this.#world;
    return maxBytes - partitions().reduce((sum, one) => sum + one.bytes, 0);
  }

  async #received(answer: Answer, asked: readonly Asked[]): Promise<void> {
    let refused: string | undefined;
    let came = false;
    for (const { topicId: topic, partitions } of answer.responses) {
      for (const { partitionIndex, errorCode, records, abortedTransactions } of partitions) {
        const one = asked.find(({ partition }) => partition.topic === topic && partition.index === partitionIndex);
        if (!one || one.partition.lost || one.partition.position !== one.position) continue;
        const error = this.#world.library.protocolErrorsCodesById[errorCode];
        if (errorCode === 0) {
          const { records: seen, next } = visibleRecords(records ?? [], one.position, abortedTransactions);
          one.partition.add(seen, next);
          came ||= next !== one.position;
        } else if (error === 'OFFSET_OUT_OF_RANGE') await this.#world.outOfRange(one.partition);
        else refused ??= error ?? 'UNKNOWN_SERVER_ERROR';
      }
    }
    if (came) this.#world.came();
    if (answer.errorCode !== 0) refused ??= this.#world.library.protocolErrorsCodesById[answer.errorCode];
    if (refused !== undefined) await this.#pause(meaningOf(refused).detail);
  }

  async #trouble(thrown: unknown): Promise<void> {
    if (this.#ended) return;
    await this.#pause(explain(thrown).detail);
  }

  async #pause(detail: string): Promise<void> {
    this.#world.trouble(detail);
    this.#world.cluster.doubt();
    await sleep(this.#world.clock, pauseAfterTrouble, this.#ending.signal).catch(() => undefined);
    this.#again = true;
  }
}

interface Asked {
  readonly partition: Partition;
  readonly position: bigint;
}

function topicsOf(asked: readonly Asked[]) {
  const topics = new Map<string, Asked[]>();
  for (const one of asked) topics.set(one.partition.topic, [...(topics.get(one.partition.topic) ?? []), one]);
  return [...topics].map(([topic, all]) => ({
    // In this version topics go by their names.
    topicId: topic,
    partitions: all.map(({ partition, position }) => ({
      partition: partition.index,
      currentLeaderEpoch: -1,
      fetchOffset: position,
      lastFetchedEpoch: -1,
      partitionMaxBytes,
    })),
  }));
}
