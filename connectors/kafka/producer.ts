import { type Clock, Failure, type Life, type Link, pauseBound, sleep } from '#sdk';
import type { Cluster, Leaders } from './cluster.ts';
import { Entry, type Identity, Lane } from './lane.ts';
import type { Connection, Library } from './library.ts';
import type { Outgoing } from './outgoing.ts';
import { partitionName } from './partition.ts';
import type { Partitioner } from './partitioner.ts';
import { explain, meaningOf, protocolError, refusal, responseOf, unreachable } from './trouble.ts';

export interface ProduceWorld {
  readonly library: Library;
  readonly link: Link<Cluster>;
  readonly clock: Clock;
  readonly partitioner: Partitioner;
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  readonly linger: number;
}

type Answer = Exclude<Awaited<ReturnType<Library['produceV7']['api']['async']>>, boolean>;
type Batches = ReadonlyMap<Lane, readonly Entry[]>;

const allReplicas = -1;
/** How long a broker waits for the replicas: shorter than we wait for the broker. */
const replicasMs = 7_000;
const batchBytes = 512 << 10;
const requestBytes = 8 << 20;
/** To one broker, each for other partitions: while it works on one, the next is made. */
const mostRequests = 2;
const pauses = { delay: 100, maxDelay: 2_000 };

/** The broker did not take the batch, whatever became of it before. */
const notTaken = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'FENCED_LEADER_EPOCH',
  'NOT_ENOUGH_REPLICAS',
]);
/** Older brokers want a permission for writing once. */
const forbidden = 'CLUSTER_AUTHORIZATION_FAILED';
const missing = 'UNKNOWN_TOPIC_OR_PARTITION';
const tooLarge = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
/** The broker has forgotten who we are: after a long pause, or with the log. */
const forgotten = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
]);

/**
 * Writes records: what comes while a request is under way goes together in the next. A batch of whose fate nobody knows
 * goes again as it was, under its number (KIP-98), so that the broker keeps it once.
 */
export class Producer {
  readonly #world: ProduceWorld;
  readonly #lanes = new Map<string, Lane>();
  /** How many requests are under way at each broker. */
  readonly #requests = new Map<number, number>();
  #identity: Promise<Identity> | undefined;
  #scheduled: (() => void) | undefined;
  #closed = false;

  constructor(world: ProduceWorld) {
    this.#world = world;
    world.link.onUp(() => this.#schedule(0));
  }

  /** Resolves when all replicas in sync have it. */
  async send(record: Outgoing, life: Life, endpoint: string): Promise<void> {
    const { link, partitioner, linger } = this.#world;
    const leaders = link.opened?.known(record.topic) ?? (await this.#leaders(record.topic, life, endpoint));
    life.check();
    const partition = partitioner.of(record, leaders.partitions.length);
    const lane = this.#lane(record.topic, partition);
    await new Promise<void>((resolve, reject) => {
      const entry = new Entry(record, endpoint, resolve, reject);
      const down = (): string | undefined => (link.opened ? undefined : link.trouble);
      lane.waiting.push(entry);
      entry.follow(life, down, () => lane.tidy());
      this.#schedule(linger);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#scheduled?.();
    for (const lane of this.#lanes.values()) lane.end();
  }

  /** Waits until it is known which partitions the topic has. Rejects with what the sender gets. */
  async #leaders(topic: string, life: Life, endpoint: string): Promise<Leaders> {
    const { link } = this.#world;
    for (let failures = 1; ; failures++) {
      const cluster = await link.up(life, endpoint);
      let detail: string;
      try {
        return await life.race(cluster.leaders(topic));
      } catch (thrown) {
        life.check();
        const trouble = explain(thrown);
        if (trouble.hopeless) throw refusal(protocolError(thrown) ?? missing, endpoint, topic);
        detail = trouble.detail;
      }
      cluster.doubt();
      try {
        await life.race(sleep(this.#world.clock, pauseBound(pauses, failures)));
      } catch (reason) {
        throw reason instanceof Failure && reason.kind !== 'cancelled' ? unreachable(endpoint, detail, false) : reason;
      }
    }
  }

  #lane(topic: string, partition: number): Lane {
    const name = partitionName(topic, partition);
    const lane = this.#lanes.get(name) ?? new Lane(topic, partition);
    this.#lanes.set(name, lane);
    return lane;
  }

  /** What goes with this turn of the event loop, or within `ms`, goes in one request. */
  #schedule(ms: number): void {
    if (this.#closed || this.#scheduled) return;
    const run = (): void => {
      this.#scheduled = undefined;
      void this.#pump();
    };
    if (ms > 0) this.#scheduled = this.#world.clock.after(ms, run);
    else {
      const immediate = setImmediate(run);
      this.#scheduled = () => clearImmediate(immediate);
    }
  }

  async #pump(): Promise<void> {
    const { link, clock } = this.#world;
    const cluster = link.opened;
    // When it is up again this is called.
    if (!cluster || this.#closed) return;
    const now = clock.monotonic();
    const byNode = new Map<number, Lane[]>();
    let later: number | undefined;
    for (const lane of this.#lanes.values()) {
      if (lane.busy || lane.idle) continue;
      if (lane.notBefore > now) {
        later = Math.min(later ?? Number.POSITIVE_INFINITY, lane.notBefore - now);
        continue;
      }
      const node = await this.#leaderOf(lane, cluster);
      if (node !== undefined && this.#mayAsk(node)) byNode.set(node, [...(byNode.get(node) ?? []), lane]);
    }
    for (const [node, lanes] of byNode) {
      const free = lanes.filter((lane) => !lane.busy && !lane.idle);
      if (free.length > 0 && this.#mayAsk(node)) void this.#request(cluster, node, free);
    }
    if (later !== undefined) this.#schedule(Math.ceil(later));
  }

  #mayAsk(node: number): boolean {
    return (this.#requests.get(node) ?? 0) < mostRequests;
  }

  async #leaderOf(lane: Lane, cluster: Cluster): Promise<number | undefined> {
    try {
      const { partitions } = await cluster.leaders(lane.topic);
      const node = partitions[lane.partition];
      if (node === undefined) this.#hold(lane, meaningOf('LEADER_NOT_AVAILABLE').detail, cluster);
      return node;
    } catch (thrown) {
      const { detail, hopeless } = explain(thrown);
      const code = protocolError(thrown) ?? missing;
      if (!hopeless) this.#hold(lane, detail, cluster);
      else lane.unwritten(lane.next(batchBytes), ({ endpoint }) => refusal(code, endpoint, lane.topic));
      return undefined;
    }
  }

  async #request(cluster: Cluster, node: number, lanes: readonly Lane[]): Promise<void> {
    this.#requests.set(node, (this.#requests.get(node) ?? 0) + 1);
    for (const lane of lanes) lane.busy = true;
    try {
      await this.#produce(cluster, node, lanes);
    } finally {
      for (const lane of lanes) {
        lane.busy = false;
        lane.tidy();
      }
      this.#requests.set(node, (this.#requests.get(node) ?? 1) - 1);
      this.#schedule(0);
    }
  }

  async #produce(cluster: Cluster, node: number, lanes: readonly Lane[]): Promise<void> {
    const { library, compression, partitioner } = this.#world;
    let batches: Batches = new Map();
    try {
      const connection = await cluster.connection(node);
      const identity = await this.#identify(connection, lanes);
      // A request can come from one only; the others wait for the next.
      const same = lanes.filter((lane) => lane.identity === identity);
      batches = fill(same);
      if (batches.size === 0) return;
      for (const lane of same) {
        const { partitions } = await cluster.leaders(lane.topic);
        partitioner.moveOn(lane.topic, lane.partition, partitions.length);
      }
      const messages = [...batches].flatMap(([lane, batch]) => batch.map((entry) => messageOf(entry, lane)));
      for (const batch of batches.values()) for (const entry of batch) entry.sent = true;
      const answer = await library.produceV7.api.async(connection, allReplicas, replicasMs, messages, {
        compression,
        producerId: identity.id,
        producerEpoch: identity.epoch,
        sequences: new library.NumericMap(same.map((lane) => [`${lane.topic}:${lane.partition}`, lane.sequence])),
        partitionLeaderEpoch: -1,
      });
      this.#answered(answer as Answer, batches, cluster);
    } catch (thrown) {
      const answer = batches.size > 0 ? responseOf<Answer>(thrown) : undefined;
      if (answer) {
        this.#answered(answer, batches, cluster);
        return;
      }
      const { detail } = explain(thrown);
      for (const [lane, batch] of batches) lane.unknown(batch);
      for (const lane of lanes) {
        if (protocolError(thrown) === forbidden) this.#refuse(lane, forbidden);
        else this.#hold(lane, detail, cluster);
      }
    }
  }

  /** Before anything of it was sent. */
  #refuse(lane: Lane, code: string): void {
    lane.unwritten(lane.next(batchBytes), ({ endpoint }) => refusal(code, endpoint, lane.topic));
  }

  #answered({ responses }: Answer, batches: Batches, cluster: Cluster): void {
    const { protocolErrorsCodesById } = this.#world.library;
    for (const [lane, batch] of batches) {
      const partition = responses
        .find(({ name }) => name === lane.topic)
        ?.partitionResponses.find(({ index }) => index === lane.partition);
      if (!partition) {
        lane.unknown(batch);
        this.#hold(lane, 'the broker did not answer for the partition', cluster);
      } else if (partition.errorCode === 0) lane.written(batch);
      else this.#refused(protocolErrorsCodesById[partition.errorCode] ?? 'UNKNOWN_SERVER_ERROR', lane, batch, cluster);
    }
  }

  #refused(code: string, lane: Lane, batch: readonly Entry[], cluster: Cluster): void {
    const known = this.#world.library.protocolErrors as Readonly<Record<string, { readonly canRetry: boolean }>>;
    if (code === 'DUPLICATE_SEQUENCE_NUMBER') lane.written(batch);
    else if (tooLarge.has(code) && batch.length > 1) {
      lane.split(batch);
    } else if (forgotten.has(code)) {
      lane.unknown(batch);
      lane.renew();
      this.#hold(lane, meaningOf(code).detail, cluster);
    } else if (notTaken.has(code)) {
      lane.unwritten(batch);
      this.#hold(lane, meaningOf(code).detail, cluster);
    } else if (known[code]?.canRetry) {
      lane.unknown(batch);
      this.#hold(lane, meaningOf(code).detail, cluster);
    } else lane.unwritten(batch, ({ endpoint }) => refusal(code, endpoint, lane.topic));
  }

  /** Who we are for the broker: one for all lanes, until one of them needs to begin anew. */
  async #identify(connection: Connection, lanes: readonly Lane[]): Promise<Identity> {
    const { library } = this.#world;
    const current = await this.#identity?.catch(() => undefined);
    // Its count with this one is used up, or in doubt: from the beginning again would look like a repetition.
    if (current && lanes.some((lane) => !lane.identity && lane.spent === current)) this.#identity = undefined;
    this.#identity ??= library.initProducerIdV1.api
      .async(connection, null, 60_000, -1n, -1)
      .then(({ producerId, producerEpoch }) => ({ id: producerId, epoch: producerEpoch }));
    const identity = await this.#identity.catch((thrown: unknown) => {
      this.#identity = undefined;
      throw thrown;
    });
    for (const lane of lanes) if (!lane.identity) lane.begin(identity);
    return lanes[0]?.identity ?? identity;
  }

  /** Tried again after a pause that grows. */
  #hold(lane: Lane, detail: string, cluster: Cluster): void {
    lane.failures++;
    lane.notBefore = this.#world.clock.monotonic() + pauseBound(pauses, lane.failures);
    for (const entry of [...(lane.doubtful ?? []), ...lane.waiting]) entry.trouble = detail;
    cluster.doubt();
    this.#schedule(1);
  }
}

function fill(lanes: readonly Lane[]): Batches {
  const batches = new Map<Lane, readonly Entry[]>();
  let bytes = 0;
  for (const lane of lanes) {
    if (bytes > requestBytes) break;
    const batch = lane.next(batchBytes);
    if (batch.length > 0) batches.set(lane, batch);
    for (const { record } of batch) bytes += record.size;
  }
  return batches;
}

const messageOf = ({ record }: Entry, { topic, partition }: Lane) => ({
  topic,
  partition,
  key: record.key,
  // Without one it is deleted from a compacted topic; the library's types do not know that.
  value: record.value as Buffer,
  headers: record.headers,
  timestamp: record.timestamp,
});
