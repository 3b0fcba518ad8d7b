import { type Failure, failure, type Life } from '#sdk';
import { Connection, type World } from './connection.ts';
import { type Arrival, type Link, type Publication, Refused } from './link.ts';
import { packetLength } from './publish-packet.ts';
import type { Settings } from './settings.ts';
import { isPassing, reasonText, Trouble } from './trouble.ts';

interface Waiting {
  readonly begin: (link: Link) => void;
}

/**
 * Publishes over one connection that is kept up. Nothing is stored: a message waits in its call, as long as that may last,
 * until there is a connection and the broker takes one more.
 */
export class Outbox {
  readonly #connection: Connection;
  readonly #inFlight: number;
  readonly #waiting = new Set<Waiting>();
  #underWay = 0;
  /** Of messages that come: answers to calls. */
  receive: ((arrival: Arrival) => void) | undefined;

  constructor(settings: Settings, inFlight: number, world: Pick<World, 'clock' | 'random' | 'log' | 'facts'>) {
    this.#inFlight = inFlight;
    this.#connection = new Connection(settings, {
      ...world,
      receive: (arrival) => {
        this.receive?.(arrival);
        return undefined;
      },
      onReady: () => this.#begin(),
    });
  }

  get ready(): boolean {
    return this.#connection.link !== undefined;
  }

  /** Why it is not ready. */
  get trouble(): string {
    return this.#connection.trouble;
  }

  open(): Promise<void> {
    return this.#connection.open();
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** Resolves when the broker has it; rejects with a Failure. `prepare`: what must be done on the same connection before. */
  publish(
    publication: Publication,
    endpoint: string,
    life: Life,
    prepare?: (link: Link) => Promise<void>,
  ): Promise<undefined> {
    const link = this.#free();
    if (!link || prepare) return this.#inTurn(publication, endpoint, life, prepare);
    this.#underWay++;
    return this.#sent(publication, link, endpoint, life);
  }

  async #inTurn(
    publication: Publication,
    endpoint: string,
    life: Life,
    prepare: ((link: Link) => Promise<void>) | undefined,
  ): Promise<undefined> {
    const link = await this.#turn(endpoint, life);
    try {
      await prepare?.(link);
      life.check();
    } catch (thrown) {
      this.#leave();
      throw thrown instanceof Trouble ? this.#lost(endpoint, false, thrown) : thrown;
    }
    return this.#sent(publication, link, endpoint, life);
  }

  #sent(publication: Publication, link: Link, endpoint: string, life: Life): Promise<undefined> {
    return new Promise((resolve, reject) => {
      const excess = excessOf(publication, link);
      if (excess !== undefined) {
        this.#leave();
        reject(refused(endpoint, excess));
        return;
      }
      const leave = life.onAbort(reject);
      link.publish(publication, (failed) => {
        leave();
        // Its place is free when the broker is done with it, not when its call has lost patience.
        this.#leave();
        if (!failed) resolve(undefined);
        else reject(failed instanceof Refused ? refused(endpoint, failed.code) : this.#lost(endpoint, true, failed));
      });
    });
  }

  #lost(endpoint: string, sent: boolean, { message }: Trouble): Failure {
    return failure('connection', { endpoint, sent, detail: `before it acknowledged, ${message}` });
  }

  #leave(): void {
    this.#underWay--;
    this.#begin();
  }

  #turn(endpoint: string, life: Life): Promise<Link> {
    const link = this.#free();
    if (link) {
      this.#underWay++;
      return Promise.resolve(link);
    }
    return new Promise((resolve, reject) => {
      const one: Waiting = {
        begin: (at) => {
          leave();
          resolve(at);
        },
      };
      const leave = life.onAbort((reason) => {
        this.#waiting.delete(one);
        reject(reason.kind === 'cancelled' ? reason : this.#unsent(endpoint));
      });
      this.#waiting.add(one);
    });
  }

  /** The connection, if it takes one more at once. */
  #free(): Link | undefined {
    const { link } = this.#connection;
    return link && this.#waiting.size === 0 && this.#underWay < this.#limit(link) ? link : undefined;
  }

  #begin(): void {
    const { link } = this.#connection;
    if (!link) return;
    for (const one of this.#waiting) {
      if (this.#underWay >= this.#limit(link)) return;
      this.#waiting.delete(one);
      this.#underWay++;
      one.begin(link);
    }
  }

  #limit({ limits }: Link): number {
    return Math.min(this.#inFlight, limits.receiveMaximum ?? this.#inFlight);
  }

  #unsent(endpoint: string): Failure {
    const detail = this.#connection.link
      ? `${this.#underWay} messages before it are not acknowledged yet`
      : `there was no connection in all that time: ${this.#connection.trouble}`;
    return failure('connection', { endpoint, sent: false, detail });
  }
}

function refused(endpoint: string, code: number): Failure {
  const kind = isPassing(code) ? 'transient' : 'permanent';
  return failure('refused', { endpoint, sent: false, reason: code, detail: reasonText(code) }, { kind });
}

/** The reason why the broker would not take it, by what it said at first: sent all the same, it would cost the connection. */
function excessOf(publication: Publication, { limits }: Link): number | undefined {
  const { maximumPacketSize, maximumQoS = 2, retainAvailable = true } = limits;
  if (publication.retain && !retainAvailable) return 0x9a;
  if (publication.qos > maximumQoS) return 0x9b;
  return maximumPacketSize !== undefined && packetLength(publication) > maximumPacketSize ? 0x95 : undefined;
}
