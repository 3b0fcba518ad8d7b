import { createServer, type Server } from 'node:http';
import { lenderVariable } from './borrowed.ts';
import { RealKafka } from './kafka-server.ts';
import { RabbitmqServer } from './rabbitmq-server.ts';

/** As many may borrow RabbitMQ, each with a virtual host of its own. */
const borrowers = 24;

const hosts = Array.from({ length: borrowers }, (_, index) => `t${index + 1}`);

/** Has the servers that test files share. */
export class Lending implements AsyncDisposable {
  readonly #server: Server;
  readonly #free = [...hosts];
  #rabbitmq: Promise<RabbitmqServer> | undefined;
  #kafka: Promise<RealKafka | undefined> | undefined;

  private constructor() {
    this.#server = createServer((request, response) => {
      request.resume();
      this.#lend(request.url ?? '').then(
        (lent) => response.end(lent === undefined ? '' : JSON.stringify(lent)),
        (error) => response.writeHead(500).end(String(error)),
      );
    });
  }

  static async open(): Promise<Lending> {
    const lending = new Lending();
    await new Promise<void>((resolve) => lending.#server.listen(0, '127.0.0.1', resolve));
    return lending;
  }

  /** Tells test files where they can borrow. */
  get env(): Readonly<Record<string, string>> {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the lender has no port');
    return { [lenderVariable]: `http://127.0.0.1:${address.port}` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    const started = await Promise.allSettled([this.#rabbitmq, this.#kafka]);
    for (const one of started) if (one.status === 'fulfilled') await one.value?.[Symbol.asyncDispose]();
  }

  async #lend(path: string): Promise<unknown> {
    if (path === '/rabbitmq') {
      const host = this.#free.shift();
      if (host === undefined) throw new Error(`more than ${borrowers} borrow it`);
      this.#rabbitmq ??= RabbitmqServer.start({ hosts });
      return (await this.#rabbitmq).lent(host);
    }
    if (path === '/kafka') {
      this.#kafka ??= RealKafka.start();
      const kafka = await this.#kafka;
      return kafka && { brokers: kafka.brokers };
    }
    throw new Error(`nobody lends ${path}`);
  }
}
