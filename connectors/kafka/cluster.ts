import { failure } from '#sdk';
import { explain, nested } from './explain.ts';
import type { Client, Connection, Library } from './library.ts';

type Metadata = Awaited<ReturnType<Client['metadata']>>;

/** Where the partitions of a topic are led. */
export interface Leaders {
  readonly partitions: readonly (number | undefined)[];
}

/** A client of a cluster that was reached: which broker leads what, and connections to them. */
export class Cluster {
  /** Resolves when no broker can be reached any more, with why. */
  readonly lost: Promise<string>;
  readonly #client: Client;
  #lose: (why: string) => void = () => {};
  #probing = false;
  #closed = false;

  private constructor(client: Client) {
    this.#client = client;
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
  }

  /** Rejects when no broker answers; what it was then is the library's error. */
  static async open(library: Library, options: ConstructorParameters<Library['Base']>[0]): Promise<Cluster> {
    const client = new library.Base(options);
    quiet(client);
    const cluster = new Cluster(client);
    try {
      await client.metadata({ topics: [] });
    } catch (thrown) {
      await cluster.close();
      throw thrown;
    }
    client.on('client:broker:disconnect', () => void cluster.#probe());
    return cluster;
  }

  /** Rejects with a permanent failure for a topic that does not exist. */
  async leaders(topic: string, fresh = false): Promise<Leaders> {
    let metadata: Metadata;
    try {
      metadata = await this.#client.metadata({ topics: [topic], forceUpdate: fresh });
    } catch (thrown) {
      for (const { message } of nested(thrown)) if (message === `Unknown topic ${topic}.`) throw missingTopic(topic);
      throw thrown;
    }
    const found = metadata.topics.get(topic);
    if (!found) throw missingTopic(topic);
    const partitions = Array.from({ length: found.partitionsCount }, (_, index) => {
      const leader = found.partitions[index]?.leader;
      return leader === undefined || leader < 0 ? undefined : leader;
    });
    return { partitions };
  }

  /** A connection to one broker; any, when `node` is not given. */
  async connection(node?: number): Promise<Connection> {
    const connections = await this.#client.connectToBrokers(node === undefined ? null : [node]);
    const [connection] = connections.values();
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

const missingTopic = (topic: string) =>
  failure(
    'startup',
    {
      what: `The topic ${topic}`,
      detail: 'it does not exist: create it (`kafka-topics --create`), or correct its name',
    },
    { kind: 'permanent' },
  );
