import type { ConsumeMessage } from 'amqplib';
import { Refrain, type SourceContext } from '#sdk';
import type { AmqpSourceOptions } from './definition.ts';
import type { Outbox } from './outbox.ts';
import { foreignHeaders, type Handwriting, marksOf, own, retryPrefix } from './own-headers.ts';
import type { Outgoing } from './publisher.ts';
import { lostTrouble } from './trouble.ts';

/** How long a retry queue stays after it was last needed, beside the time that messages wait in it. */
const spareMs = 600_000;
/** It is declared again so often while it is needed: that is how the broker knows. */
const renewMs = 60_000;
const longest = 2 ** 31 - 1;

/** Few enough queues for all the pauses that jitter makes: at most so much longer. */
export function bucketOf(ms: number): number {
  const step = ms <= 1_000 ? 100 : ms <= 10_000 ? 500 : ms <= 60_000 ? 5_000 : ms <= 600_000 ? 30_000 : 300_000;
  return Math.min(longest, Math.max(step, Math.ceil(ms / step) * step));
}

/**
 * Delayed redelivery: a message waits in a queue without readers until its time there is over, and the broker puts it back
 * into the queue that it came from.
 */
export class Postponing {
  readonly #ours: Handwriting;
  readonly #types: ('quorum' | 'classic')[];
  readonly #outbox: Outbox;
  readonly #context: SourceContext;
  /** When each was declared last. */
  readonly #declared = new Map<string, { readonly since: number; readonly done: Promise<void> }>();
  readonly #waitsHere: Refrain;
  #forbidden = false;

  constructor({ declare }: AmqpSourceOptions, ours: Handwriting, outbox: Outbox, context: SourceContext) {
    this.#ours = ours;
    // As safe as the queue itself. Older brokers know no times to live in quorum queues.
    const isQuorum = declare?.passive !== true && (declare?.type ?? 'quorum') === 'quorum';
    this.#types = isQuorum ? ['quorum', 'classic'] : ['classic'];
    this.#outbox = outbox;
    this.#context = context;
    this.#waitsHere = new Refrain({ level: 'warn', message: 'a message waits here instead of at the broker' }, context);
  }

  /** Resolves when the broker has it, as attempt `attempt`; `false` when it can not wait there. */
  async postpone(message: ConsumeMessage, ms: number, attempt: number): Promise<boolean> {
    // Nobody but its sender may publish with this property: the broker would close the channel.
    const marks = marksOf(message, this.#ours);
    const vouched = message.properties.userId !== undefined && marks[own.attempt] === undefined;
    if (this.#forbidden || vouched) return false;
    const bucket = bucketOf(ms);
    const name = `${retryPrefix}${this.#ours.queue}.${bucket}`;
    try {
      await this.#outbox.ready();
      await this.#declare(name, bucket);
      if (this.#forbidden) return false;
      const { user } = this.#ours;
      const id = this.#context.random.uuid();
      await this.#outbox.publish(waiting(message, marks, { queue: name, attempt, id, user }));
      return true;
    } catch (thrown) {
      this.#declared.delete(name);
      const detail = thrown instanceof Error ? thrown.message : '';
      // The broker knows us by another name than the one we gave: it would refuse the next one, too.
      if (/user_id/.test(detail)) {
        this.#forbid(name, detail);
        return false;
      }
      this.#waitsHere.again(detail, { flow: this.#context.name, detail }, {});
      return false;
    }
  }

  /** All who need the queue at the same time declare it once. */
  #declare(name: string, ms: number): Promise<void> {
    const now = this.#context.clock.monotonic();
    const known = this.#declared.get(name);
    if (known && now - known.since < renewMs) return known.done;
    const done = this.#make(name, ms);
    this.#declared.set(name, { since: now, done });
    return done;
  }

  async #make(name: string, ms: number): Promise<void> {
    try {
      await this.#outbox.declare(name, { durable: true, arguments: this.#arguments(ms) });
    } catch (thrown) {
      const { code, detail } = lostTrouble(thrown);
      if ((code === 406 || code === 540) && this.#types.length > 1) {
        this.#types.shift();
        await this.#make(name, ms);
        return;
      }
      if (code === undefined) throw thrown;
      this.#forbid(name, detail);
    }
  }

  #forbid(queue: string, detail: string): void {
    if (this.#forbidden) return;
    this.#forbidden = true;
    const facts = { flow: this.#context.name, queue, detail };
    this.#context.log.warn('messages that shall wait stay here, unacknowledged: no queue takes them', facts);
  }

  #arguments(ms: number): object {
    const [type] = this.#types;
    return {
      'x-queue-type': type,
      'x-message-ttl': ms,
      'x-expires': ms + spareMs,
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': this.#ours.queue,
      // The broker keeps it until the other queue has it.
      ...(type === 'quorum' ? { 'x-dead-letter-strategy': 'at-least-once', 'x-overflow': 'reject-publish' } : {}),
    };
  }
}

interface Waiting {
  readonly queue: string;
  readonly attempt: number;
  readonly id: string;
  /** Under whose name it goes out; the broker sees to it that nobody else uses that. */
  readonly user: string | undefined;
}

/** The message as it waits: all that it is, with what the way through another queue would change written beside. */
export function waiting(
  { fields, properties, content }: ConsumeMessage,
  marks: Readonly<Record<string, unknown>>,
  { queue, attempt, id, user }: Waiting,
): Outgoing {
  const table: Readonly<Record<string, unknown>> = properties.headers ?? {};
  // `CC` would bring copies to other queues; what counts deliveries begins anew there.
  const { CC: cc, BCC: _, 'x-delivery-count': __, 'x-acquired-count': ___, ...headers } = foreignHeaders(table, marks);
  const kept = (name: string, value: unknown): Record<string, unknown> => {
    const first = marks[name] ?? value;
    return first === undefined ? {} : { [name]: first };
  };
  const { contentType, contentEncoding, correlationId, replyTo, timestamp, type, appId, priority } = properties;
  return {
    routingKey: queue,
    content,
    mandatory: true,
    properties: {
      contentType,
      contentEncoding,
      correlationId,
      replyTo,
      timestamp,
      type,
      appId,
      priority,
      deliveryMode: properties.deliveryMode === 2 ? 2 : 1,
      // Of ours: two messages may have the same.
      messageId: id,
      userId: user,
      headers: {
        ...headers,
        ...(cc === undefined ? {} : { [own.cc]: cc }),
        ...kept(own.exchange, fields.exchange),
        ...kept(own.routingKey, fields.routingKey),
        ...kept(own.messageId, properties.messageId ?? ''),
        ...kept(own.expiration, properties.expiration),
        [own.attempt]: attempt,
      },
    },
  };
}
