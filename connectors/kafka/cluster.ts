import { type Clock, failure, sleep } from '#sdk';
import { type Client, type Connection, type Library, metadataMaxAge } from './library.ts';
import { explain, nested } from './trouble.ts';

type Metadata = Awaited<ReturnType<Client['metadata']>>;
type TopicMetadata = Metadata['topics'] extends Map<string, infer T> ? T : never;

const mostTries = 4;
const pauseMs = 250;

/** Where the partitions of a topic are led. */
export interface Leaders {
  readonly partitions: readonly (number | undefined)[];
}

/** A client of a cluster that was reached: which broker leads what, and connections to them. */
export class Cluster {
  /** Resolves when no broker can be reached any more, with why. */
  readonly lost: Promise<string>;
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #leaders = new WeakMap<TopicMetadata, Leaders>();
  #lose: (why: string) => void = () => {};
  #probing = false;
  #closed = false;

  private constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
  }

  /** Rejects when no broker answers; what it was then is the library's error. */
  static async open(
    library: Library,
    options: ConstructorParameters<Library['Base']>[0],
    clock: Clock,
  ): Promise<Cluster> {
    const client = new library.Base(options);
    quiet(client);
    const cluster = new Cluster(client, clock);
    try {
      await client.metadata({ topics: [] });
    } catch (thrown) {
      await cluster.close();
      throw thrown;
    }
    // Not at once: the pool still holds the connection while it says so, and would wait for it without end.
    client.on('client:broker:disconnect', () => void setImmediate(() => void cluster.#probe()));
    return cluster;
  }

  /** What is known without asking; `undefined` when that is nothing, or old. */
  known(topic: string): Leaders | undefined {
    const found = this.#client.currentMetadata?.topics.get(topic);
    if (!found || found.lastUpdate + metadataMaxAge < this.#clock.now()) return undefined;
    const known = this.#leaders.get(found) ?? leadersOf(found);
    this.#leaders.set(found, known);
    return known;
  }

  /** Rejects with a permanent failure for a topic that does not exist. */
  async leaders(topic: string, fresh = false): Promise<Leaders> {
    const known = fresh ? undefined : this.known(topic);
    if (known) return known;
    for (let tries = 1; ; tries++) {
      const found = await this.#topic(topic, fresh || tries > 1);
      if (found) return leadersOf(found);
      // What was just made is not known to all brokers at once.
      if (tries === mostTries) throw missingTopic(topic);
      await sleep(this.#clock, pauseMs);
    }
  }

  async #topic(topic: string, fresh: boolean): Promise<TopicMetadata | undefined> {
    try {
      const metadata = await this.#client.metadata({ topics: [topic], forceUpdate: fresh });
      return metadata.topics.get(topic);
    } catch (thrown) {
      for (const { message } of nested(thrown)) if (message === `Unknown topic ${topic}.`) return undefined;
      throw thrown;
    }
  }

  async connection(node: number): Promise<Connection> {
    const connections = await this.#client.connectToBrokers([node]);
    const connection = connections.get(node);
    if (!connection) throw failure('connection', { detail: 'the broker has left the cluster' });
    return connection;
  }

  /** Something went wrong on the way to a broker: what is known about the cluster may be old, and it may be gone. */
  doubt(): void {
    this.#client.clearMetadata();
    void this.#probe();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client.close();
  }

  /** Whether any broker still answers. */
  async #probe(): Promise<void> {
    if (this.#probing || this.#closed) return;
    this.#probing = true;
    try {
      await this.#client.metadata({ topics: [], forceUpdate: true });
    } catch (thrown) {
      if (!this.#closed) this.#lose(explain(thrown).detail);
    } finally {
      this.#probing = false;
    }
  }
}

/** A connection of the library may report an error twice, the second time to nobody: that would end the process. */
export function quiet(client: Client): void {
  const listen = ({ connection }: { readonly connection: Connection }): void => {
    connection.on('error', () => {});
  };
  client.connections.on('connecting', listen as never);
}

const leadersOf = ({ partitionsCount, partitions }: TopicMetadata): Leaders => ({
  partitions: Array.from({ length: partitionsCount }, (_, index) => {
    const leader = partitions[index]?.leader;
    return leader === undefined || leader < 0 ? undefined : leader;
  }),
});

const missingTopic = (topic: string) =>
  failure(
    'startup',
    {
      what: `The topic ${topic}`,
      detail: 'it does not exist: create it (`kafka-topics --create`), or correct its name',
    },
    { kind: 'permanent' },
  );
