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
}

/** `$JS.ACK.[domain.account.]stream.consumer.count.sequence.consumerSequence.nanoseconds.pending[.token]` */
export function deliveryOf(reply: string): Delivery {
  const parts = reply.split('.');
  const at = parts.length >= 11 ? 4 : 2;
  return {
    stream: parts[at] ?? '',
    count: Number(parts[at + 2]),
    sequence: Number(parts[at + 3]),
    storedAt: Math.floor(Number(parts[at + 5]) / 1_000_000),
  };
}

interface Holding {
  /** Where its acknowledgement goes: of the delivery that came last. */
  reply: string;
  /** Settled, and this is what is to be said; else the flow has it. */
  answer: Uint8Array | undefined;
}

/**
 * The messages that are here unacknowledged, over all connections: an acknowledgement is a message to a subject, so it
 * may go over another connection than the one its message came on. What comes again while it is worked on, or while
 * nobody knows whether its acknowledgement arrived, is not begun a second time.
 */
export class Held {
  /** With the flow, or waiting for a connection. */
  readonly #held = new Map<number, Holding>();
  /** Acknowledged, and not known yet to have arrived. */
  readonly #sent = new Map<number, Holding>();
  #connected: Connected | undefined;
  /** Given back, and the server has not said yet that it knows. */
  readonly #returning = new Set<Promise<unknown>>();
  #asking: Connected | undefined;

  get size(): number {
    return this.#held.size;
  }

  /** What may not have arrived goes first. */
  connect(connected: Connected): void {
    this.#connected = connected;
    for (const [sequence, holding] of this.#sent) this.#held.set(sequence, holding);
    this.#sent.clear();
    this.working();
  }

  /** Nothing can be sent until there is another connection. */
  disconnect(): void {
    this.#connected = undefined;
  }

  /** False: it is here already. */
  add(message: Message, sequence: number): boolean {
    const reply = message.reply ?? '';
    const before = this.#held.get(sequence) ?? this.#sent.get(sequence);
    if (!before) {
      this.#held.set(sequence, { reply, answer: undefined });
      return true;
    }
    before.reply = reply;
    this.#send(sequence, before);
    return false;
  }

  done(sequence: number): void {
    this.#answer(sequence, words.done);
  }

  release(sequence: number): void {
    this.#answer(sequence, words.release);
  }

  postpone(sequence: number, ms: number): void {
    this.#answer(
      sequence,
      encoder.encode(`-NAK ${JSON.stringify({ delay: Math.max(1, Math.round(ms)) * 1_000_000 })}`),
    );
  }

  /** Tells the server of all that is here, so that it goes to nobody else. */
  working(): void {
    for (const [sequence, holding] of this.#held) this.#send(sequence, holding);
  }

  #answer(sequence: number, answer: Uint8Array): void {
    const holding = this.#held.get(sequence);
    if (!holding) return;
    holding.answer = answer;
    this.#send(sequence, holding);
  }

  /** Resolves when the server has all that was said so far, or is gone. */
  async flush(): Promise<void> {
    await Promise.allSettled([this.#connected?.flush(), ...this.#returning]);
  }

  #send(sequence: number, holding: Holding): void {
    const { reply, answer } = holding;
    const connected = this.#connected;
    if (!connected || connected.connection.isClosed()) return;
    if (answer) this.#held.delete(sequence);
    if (answer === words.done) {
      connected.connection.publish(reply, answer);
      this.#sent.set(sequence, holding);
      this.#confirm(connected);
    } else if (answer) this.#giveBack(connected, reply, answer);
    else connected.connection.publish(reply, words.working);
  }

  /** It is to come again, and is then begun again. The server is asked to answer, so that others can have it when we end. */
  #giveBack({ connection }: Connected, reply: string, answer: Uint8Array): void {
    const returning = connection.request(reply, answer, { timeout: returnMs }).catch(() => undefined);
    this.#returning.add(returning);
    void returning.then(() => this.#returning.delete(returning));
  }

  /** The server answers in order: behind its answer all that was sent before has arrived. One question for many. */
  #confirm(connected: Connected): void {
    if (this.#asking === connected) return;
    this.#asking = connected;
    queueMicrotask(async () => {
      const sent = [...this.#sent];
      try {
        await connected.flush();
        for (const [sequence, holding] of sent) if (this.#sent.get(sequence) === holding) this.#sent.delete(sequence);
      } catch {
        // The connection is gone: they are sent again over the next one.
      }
      if (this.#asking === connected) this.#asking = undefined;
      if (this.#sent.size > 0 && this.#connected === connected && !connected.connection.isClosed()) {
        this.#confirm(connected);
      }
    });
  }
}
