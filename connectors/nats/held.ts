import type { Connected, Message } from './connection.ts';

/** How long the server may take to say that it has a message back. */
const returnMs = 1_000;

const encoder = new TextEncoder();
const words = {
  done: encoder.encode('+ACK'),
  working: encoder.encode('+WPI'),
  release: encoder.encode('-NAK'),
} as const;

/** What the server says about a message, in the subject that acknowledges it. */
export interface Delivery {
  readonly stream: string;
  readonly sequence: number;
  /** How often it was delivered, this time included. */
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly storedAt: number;
  /** Of this message and no other: a stream that is made anew counts from 1 again. */
  readonly key: string;
}

/** `$JS.ACK.[domain.account.]stream.consumer.count.sequence.consumerSequence.nanoseconds.pending[.token]` */
export function deliveryOf(reply: string): Delivery {
  const parts = reply.split('.');
  const [stream = '', , count, sequence, , nanoseconds = ''] = parts.slice(parts.length >= 11 ? 4 : 2);
  return {
    stream,
    count: Number(count),
    sequence: Number(sequence),
    storedAt: Math.floor(Number(nanoseconds) / 1_000_000),
    key: `${stream}/${sequence}@${nanoseconds}`,
  };
}

interface Holding {
  /** Where its acknowledgement goes: of the delivery that came last. */
  reply: string;
  /** Settled, and this is what is to be said; else the flow has it. */
  answer: Uint8Array | undefined;
}

/** Of so many messages that were done it is remembered that they were. */
const remembered = 10_000;

/** A server that was started again says another time than before, by some microseconds. */
const sameMs = 50;

/**
 * The messages that are here unacknowledged, over all connections: an acknowledgement is a message to a subject, so it
 * may go over another connection than the one its message came on. What comes again while it is worked on, or after it
 * was done (its acknowledgement was lost on the way, or by a server that died before it had written it down), is not
 * begun a second time.
 */
export class Held {
  /** With the flow, or waiting for a connection. */
  readonly #held = new Map<string, Holding>();
  readonly #done = new Set<string>();
  /** Given back, and the server has not said yet that it knows. */
  readonly #returning = new Set<Promise<unknown>>();
  #connected: Connected | undefined;
  #made = Number.NaN;

  get size(): number {
    return this.#held.size;
  }

  /** `made`: when the consumer was. Another one than before begins anew, and whoever made it may want messages again. */
  connect(connected: Connected, made: number): void {
    this.#connected = connected;
    if (Math.abs(this.#made - made) > sameMs) this.#done.clear();
    this.#made = made;
    this.working();
  }

  /** Nothing can be sent until there is another connection. */
  disconnect(): void {
    this.#connected = undefined;
  }

  /** False: it is here already, or was done. */
  add(message: Message, key: string): boolean {
    const reply = message.reply ?? '';
    const before = this.#held.get(key);
    if (before) before.reply = reply;
    else if (!this.#done.has(key)) {
      this.#held.set(key, { reply, answer: undefined });
      return true;
    }
    this.#send(key, before ?? { reply, answer: words.done });
    return false;
  }

  done(key: string): void {
    this.#done.add(key);
    const [oldest] = this.#done;
    if (this.#done.size > remembered && oldest !== undefined) this.#done.delete(oldest);
    this.#answer(key, words.done);
  }

  release(key: string): void {
    this.#answer(key, words.release);
  }

  postpone(key: string, ms: number): void {
    const delay = Math.max(1, Math.round(ms)) * 1_000_000;
    this.#answer(key, encoder.encode(`-NAK ${JSON.stringify({ delay })}`));
  }

  /** Tells the server of all that is here, so that it goes to nobody else. */
  working(): void {
    for (const [key, holding] of this.#held) this.#send(key, holding);
  }

  /** Resolves when the server has all that was said so far, or is gone. */
  async flush(): Promise<void> {
    await Promise.allSettled([this.#connected?.flush(), ...this.#returning]);
  }

  #answer(key: string, answer: Uint8Array): void {
    const holding = this.#held.get(key);
    if (!holding) return;
    holding.answer = answer;
    this.#send(key, holding);
  }

  #send(key: string, { reply, answer }: Holding): void {
    const connection = this.#connected?.connection;
    if (!connection || connection.isClosed()) return;
    if (answer) this.#held.delete(key);
    if (answer && answer !== words.done) this.#giveBack(connection, reply, answer);
    else connection.publish(reply, answer ?? words.working);
  }

  /** It is to come again. The server is asked to answer, so that others can have it when we end. */
  #giveBack(connection: Connected['connection'], reply: string, answer: Uint8Array): void {
    const returning = connection.request(reply, answer, { timeout: returnMs }).catch(() => undefined);
    this.#returning.add(returning);
    void returning.then(() => this.#returning.delete(returning));
  }
}
