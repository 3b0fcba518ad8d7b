import { atMost, backoff, type ConnectorContext, sleep } from '#sdk';
import { quiet } from './cluster.ts';
import type { Library } from './library.ts';
import { explain, protocolError } from './trouble.ts';

type Consumer = InstanceType<Library['Consumer']>;

/** What of each topic is ours. */
export type Assignment = readonly { readonly topic: string; readonly partitions: readonly number[] }[];

export interface Offset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

export interface MemberPlan {
  readonly client: ConstructorParameters<Library['Base']>[0];
  readonly group: string;
  readonly instance: string | undefined;
  readonly topics: readonly string[];
  readonly session: number;
  readonly heartbeat: number;
  /** The group has settled: this is ours. */
  readonly assigned: (ours: Assignment) => void;
  /**
   * Before the group shares out anew: what is not in `ours` goes to others when this resolves. `known`: the group still
   * knows us, so what is done can be committed.
   */
  readonly giveUp: (ours: Assignment, known: boolean) => Promise<void>;
  readonly trouble: (detail: string) => void;
  readonly well: () => void;
}

/** The group waits so long for a member to come back when it shares out anew. */
const rebalanceTimeout = 60_000;
const pauses = { delay: 200, maxDelay: 10_000 };
const longestLeaving = 2_000;

/** What says only that the group shares out anew, or has done without us. */
const rejoining = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'MEMBER_ID_REQUIRED']);

/**
 * Our membership in a consumer group: joins, shows signs of life whatever the flow does, joins again. Partitions move one
 * by one (`cooperative-sticky`): those that stay are worked on meanwhile. The membership lives through losses of the
 * connection, so that a broker that comes back soon finds everything as it was.
 */
export class Membership {
  readonly #plan: MemberPlan;
  readonly #context: Pick<ConnectorContext, 'clock' | 'random'>;
  readonly #consumer: Consumer;
  readonly #ending = new AbortController();
  #running: Promise<void> | undefined;
  #fail: (thrown: unknown) => void = () => {};
  #joined = false;
  #silent = false;
  #leads = false;

  constructor(library: Library, plan: MemberPlan, context: Pick<ConnectorContext, 'clock' | 'random'>) {
    this.#plan = plan;
    this.#context = context;
    const timeout = Math.max(rebalanceTimeout, plan.session);
    this.#consumer = new library.Consumer({
      ...plan.client,
      groupId: plan.group,
      ...(plan.instance !== undefined && { groupInstanceId: plan.instance }),
      sessionTimeout: plan.session,
      heartbeatInterval: plan.heartbeat,
      heartbeatStallTimeout: Math.ceil((plan.session * 2) / 3),
      rebalanceTimeout: timeout,
      // Joining is answered when all have joined.
      requestTimeout: timeout + 10_000,
      protocols: [{ name: 'cooperative-sticky', version: 2 }],
      protocolsMetadata: () => this.#beforeJoining(),
      autocommit: false,
    });
    this.#listen();
  }

  /** The group knows us, and hears of us. */
  get ready(): boolean {
    return this.#joined && !this.#silent;
  }

  start(): void {
    if (this.#ending.signal.aborted) return;
    this.#running ??= this.#run();
  }

  /** Rejects when waiting would not make us a member: the library's error. */
  async permitted(): Promise<void> {
    try {
      await this.#consumer.findGroupCoordinator();
    } catch (thrown) {
      // The first group of a cluster waits until there is something that keeps groups.
      if (explain(thrown).hopeless) throw thrown;
    }
  }

  /** There may be more partitions than were shared out: who leads the group has it done again. */
  shareOutAnew(): void {
    if (!this.#leads || !this.ready) return;
    this.#consumer.clearMetadata();
    this.#consumer.joinGroup({}).catch((thrown: unknown) => this.#fail(thrown));
  }

  /** What the group has committed; -1 where nothing is. */
  async committed(ours: Assignment): Promise<ReadonlyMap<string, readonly bigint[]>> {
    return this.#consumer.listCommittedOffsets({
      topics: ours.map(({ topic, partitions }) => ({ topic, partitions: [...partitions] })),
    });
  }

  /** Whether it was committed: not while the group shares out anew. Rejects when something is wrong. */
  async commit(offsets: readonly Offset[]): Promise<boolean> {
    if (this.#consumer.memberId === null) return false;
    try {
      await this.#consumer.commit({ offsets: offsets.map((one) => ({ ...one, leaderEpoch: -1 })) });
      return true;
    } catch (thrown) {
      if (rejoining.has(protocolError(thrown) ?? '')) return false;
      throw thrown;
    }
  }

  /** The partitions go to others at once. */
  async leave(): Promise<void> {
    this.#ending.abort(new Error('the member has left'));
    const leaving = Promise.resolve(this.#consumer.leaveGroup()).catch(() => undefined);
    await atMost(this.#context.clock, longestLeaving, leaving);
    this.#cut();
    await this.#consumer.close(true).catch(() => undefined);
    await this.#running;
  }

  #listen(): void {
    const consumer = this.#consumer;
    quiet(consumer as never);
    for (const topic of this.#plan.topics) consumer.topics.track(topic);
    // The library goes no further after one.
    consumer.on('error' as never, ((thrown: unknown) => this.#fail(thrown)) as never);
    consumer.on('consumer:group:join', ({ assignments = [], isLeader = false }) => {
      this.#joined = true;
      this.#silent = false;
      this.#leads = isLeader;
      this.#plan.well();
      this.#plan.assigned(assignments);
    });
    consumer.on('consumer:heartbeat:error', ({ error }) => {
      this.#silent = true;
      this.#plan.trouble(explain(error).detail);
    });
    consumer.on('consumer:heartbeat:end', () => {
      if (this.#silent) this.#plan.well();
      this.#silent = false;
    });
    // The network may have lost a connection without telling us.
    consumer.on('consumer:heartbeat:stalled', () => this.#cut());
  }

  #cut(): void {
    for (const [, connection] of this.#consumer.connections) connection.socket?.destroy();
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    for (let failures = 0; !signal.aborted; ) {
      let thrown: unknown;
      try {
        const failed = new Promise<unknown>((resolve) => {
          this.#fail = resolve;
          signal.addEventListener('abort', resolve, { once: true });
        });
        await this.#consumer.joinGroup({});
        failures = 0;
        thrown = await failed;
      } catch (error) {
        thrown = error;
      }
      if (signal.aborted) return;
      this.#joined = false;
      const expected = rejoining.has(protocolError(thrown) ?? '');
      if (!expected) this.#plan.trouble(explain(thrown).detail);
      failures = expected ? 1 : failures + 1;
      await this.#pause(failures);
    }
  }

  async #beforeJoining(): Promise<Buffer> {
    const { memberId, assignments } = this.#consumer;
    const known = memberId !== null;
    await this.#plan.giveUp(known ? (assignments ?? []) : [], known);
    return Buffer.alloc(0);
  }

  #pause(failures: number): Promise<void> {
    const { clock, random } = this.#context;
    return sleep(clock, backoff(pauses, failures, random), this.#ending.signal).catch(() => undefined);
  }
}
