import type { Clock } from '#sdk';
import type { Connected, Message } from './connection.ts';

export interface PullWorld {
  readonly clock: Clock;
  /** How many more messages may be held. */
  readonly room: () => number;
  readonly onMessage: (message: Message) => void;
  /** The consumer hands nothing over any more, and why. */
  readonly broken: (why: string) => void;
}

/** How long the server keeps a request for messages, and how often it says that it still has it. */
const requestMs = 30_000;
const beatMs = 5_000;

const nanos = (ms: number): number => ms * 1_000_000;

/** Asks the consumer for as many messages as there is room for; asks again as room comes free. */
export class Pulls {
  readonly #connected: Connected;
  readonly #world: PullWorld;
  readonly #subject: string;
  readonly #infoSubject: string;
  readonly #inbox: string;
  readonly #subscription: ReturnType<Connected['connection']['subscribe']>;
  /** Asked for and not come yet. */
  #asked = 0;
  #heard: number;
  #ended = false;
  #cancelWatch: () => void = () => {};

  constructor(connected: Connected, consumer: { readonly stream: string; readonly name: string }, world: PullWorld) {
    this.#connected = connected;
    this.#world = world;
    this.#subject = `$JS.API.CONSUMER.MSG.NEXT.${consumer.stream}.${consumer.name}`;
    this.#infoSubject = `$JS.API.CONSUMER.INFO.${consumer.stream}.${consumer.name}`;
    this.#inbox = connected.library.createInbox();
    this.#heard = world.clock.monotonic();
    this.#subscription = connected.connection.subscribe(this.#inbox, {
      callback: (error, message) => {
        if (error) this.#break('the subscription of the consumer was refused');
        else this.#take(message);
      },
    });
    this.#watch();
  }

  /** Not for every message that is done: a quarter of what is held at most is asked for at once. */
  ask(): void {
    const room = this.#world.room() - this.#asked;
    if (this.#ended || this.#connected.connection.isClosed()) return;
    if (room <= 0 || (this.#asked > 0 && room < this.#asked / 3)) return;
    if (this.#asked === 0) this.#heard = this.#world.clock.monotonic();
    this.#asked += room;
    const request = { batch: room, expires: nanos(requestMs), idle_heartbeat: nanos(beatMs) };
    this.#connected.connection.publish(this.#subject, JSON.stringify(request), { reply: this.#inbox });
  }

  /** Takes no more; resolves when what the server had sent by then is here. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelWatch();
    const { connection, flush } = this.#connected;
    if (connection.isClosed()) return;
    // What was handed over by then comes before the answer to what is asked now.
    void this.#subscription.drain().catch(() => undefined);
    await flush().catch(() => undefined);
    // Old servers notice only now that nobody waits for the last request any more; till then they would lose what is given
    // back, until `ackWait` is over (seen with 2.9).
    await connection.request(this.#infoSubject, '', { timeout: 1_000 }).catch(() => undefined);
  }

  #take(message: Message): void {
    this.#heard = this.#world.clock.monotonic();
    const { headers } = message;
    if (headers === undefined || headers.code < 100 || message.subject !== this.#inbox) {
      this.#asked = Math.max(0, this.#asked - 1);
      this.#world.onMessage(message);
      return;
    }
    if (headers.code === 100) return;
    const left = Number(headers.get('Nats-Pending-Messages') || Number.NaN);
    // What was asked for has run out of time, or was answered in part: nothing is wrong with the consumer.
    if (headers.code === 404 || headers.code === 408 || !Number.isNaN(left)) {
      this.#asked = Number.isNaN(left) ? 0 : Math.max(0, this.#asked - left);
      if (!/deleted/i.test(headers.description)) {
        this.ask();
        return;
      }
    }
    const what = headers.code === 503 ? 'there is no such consumer any more' : headers.description.toLowerCase();
    this.#break(`the consumer hands nothing over: ${what}`);
  }

  /** A request that the server lost, by a restart or a change of its leader, would be waited for in vain. */
  #watch(): void {
    const { clock } = this.#world;
    this.#cancelWatch = clock.after(
      beatMs,
      () => {
        if (this.#asked > 0 && clock.monotonic() - this.#heard > 3 * beatMs) {
          this.#break('the server fell silent about the consumer');
        } else this.#watch();
      },
      true,
    );
  }

  #break(why: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelWatch();
    if (!this.#connected.connection.isClosed()) this.#subscription.unsubscribe();
    this.#world.broken(why);
  }
}
