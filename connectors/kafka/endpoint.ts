import { createHash } from 'node:crypto';
import { type Endpoint, type EndpointContext, Link, type OpenEndpoint } from '#sdk';
import { Cluster } from './cluster.ts';
import type { EndpointOptions } from './definition.ts';
import { clientOptions, farName, type Library, loadLibrary } from './library.ts';
import { outgoingOf } from './outgoing.ts';
import { Partitioner } from './partitioner.ts';
import { Producer } from './producer.ts';
import { explain } from './trouble.ts';

/** Writes records; what goes at the same time to the same cluster goes together, also of several endpoints. */
export const openEndpoint = (async (options: EndpointOptions, context: EndpointContext): Promise<Endpoint> => {
  const library = await loadLibrary(`The endpoint \`${context.name}\``);
  const { topic, ...cluster } = options;
  // A digest: what identifies the connection holds passwords.
  const key = createHash('sha256').update(JSON.stringify(cluster)).digest('base64url');
  const shared = context.share(`kafka:producer:${key}`, () => new Writing(library, options, context));
  const { link, producer } = shared.value;
  try {
    await link.start();
    if (topic !== undefined) await shared.value.check(topic);
  } catch (thrown) {
    await shared.release();
    throw thrown;
  }
  return {
    async handle(exchange) {
      exchange.life.check();
      const record = await outgoingOf(exchange, topic);
      exchange.life.check();
      await producer.send(record, exchange.life, context.name);
      return undefined;
    },
    get ready() {
      return link.opened !== undefined;
    },
    get trouble() {
      return link.trouble;
    },
    close: () => shared.release(),
  };
}) satisfies OpenEndpoint;

class Writing {
  readonly link: Link<Cluster>;
  readonly producer: Producer;

  constructor(library: Library, options: EndpointOptions, context: EndpointContext) {
    const client = clientOptions(options, context);
    this.link = new Link<Cluster>(
      {
        far: farName(options),
        open: () => Cluster.open(library, client, context.clock),
        lost: (cluster) => cluster.lost,
        close: (cluster) => cluster.close(),
        explain,
      },
      context,
    );
    this.producer = new Producer({
      library,
      link: this.link,
      clock: context.clock,
      partitioner: new Partitioner(library.murmur2, () => context.random.next()),
      compression: options.compression,
      linger: options.linger,
    });
  }

  /** Throws when the topic of an endpoint does not exist; where nobody can be asked, the calls will say so. */
  async check(topic: string): Promise<void> {
    try {
      await this.link.opened?.leaders(topic);
    } catch (thrown) {
      if (explain(thrown).hopeless) throw thrown;
    }
  }

  async close(): Promise<void> {
    await this.producer.close();
    await this.link.close();
  }
}
