/** How a Resequencer keeps the messages that wait for others. */
import type { Headers, Origin } from '../../core/exchange.ts';
import { joinRecord, keptHeaders, splitRecord } from '../../core/record.ts';
import { entries } from '../../store/entries.ts';
import type { Store, Write } from '../../store/store.ts';
import { rememberedMs } from './message-id.ts';

const space = 'resequence';

/** A message that waits, as far as the order is concerned. */
export interface Waiting {
  /** Hash of the key of its stream. */
  readonly stream: string;
  readonly sequence: number;
  /** When it came: milliseconds since the epoch. */
  readonly at: number;
}

export interface WaitingMessage {
  readonly id: string;
  /** What tells it from others; absent where nothing does. */
  readonly message: string | undefined;
  readonly headers: Headers;
  readonly origin: Origin;
  readonly contentType: string | undefined;
  /** The span in which it was put here, as `traceparent`; absent where none was recorded. */
  readonly span?: string | undefined;
}

export class SequenceStore {
  readonly #identity: string;
  readonly #store: Store;

  constructor(identity: string, store: Store) {
    this.#identity = identity;
    this.#store = store;
  }

  /** The number that comes next in a stream, where one has gone on before. */
  async next(stream: string): Promise<number | undefined> {
    const entry = await this.#store.get(space, this.#streamKey(stream));
    return entry && Number(Buffer.from(entry.value).toString());
  }

  /** It waits here, or went on not long ago. */
  async isKnown(message: string): Promise<boolean> {
    return (await this.#store.get(space, this.#messageKey(message))) !== undefined;
  }

  /** `known`: the message is here, or was not long ago. `taken`: another one with this number waits. */
  async add(one: Waiting, message: WaitingMessage, body: Uint8Array | string): Promise<'added' | 'known' | 'taken'> {
    const { message: id } = message;
    const written = await this.#store.write([
      ...(id === undefined
        ? []
        : [{ op: 'put', space, key: this.#messageKey(id), value: new Uint8Array(0), when: 'absent' } as const]),
      { op: 'put', space, key: this.#waitingKey(one), value: Buffer.from(String(one.at)), when: 'absent' },
      { op: 'put', space, key: this.#bodyKey(one), value: joinRecord(message, body) },
    ]);
    if (written.written) return 'added';
    return id !== undefined && written.conflict === 0 ? 'known' : 'taken';
  }

  /** Those that wait in a stream, the lowest number first; of all streams where none is named. */
  async *waiting(stream?: string): AsyncGenerator<Waiting> {
    const prefix = `${this.#identity} waiting `;
    const within = stream === undefined ? prefix : `${prefix}${stream} `;
    for await (const { key, value } of entries(this.#store, space, { prefix: within })) {
      const [of = '', number = ''] = key.slice(prefix.length).split(' ');
      yield { stream: of, sequence: numberIn(number), at: Number(Buffer.from(value).toString()) };
    }
  }

  async message(one: Waiting): Promise<{ readonly message: WaitingMessage; readonly body: Uint8Array } | undefined> {
    const entry = await this.#store.get(space, this.#bodyKey(one));
    if (!entry) return undefined;
    const { head, body } = splitRecord(entry.value);
    const message = head as WaitingMessage;
    return { message: { ...message, headers: keptHeaders(message.headers) }, body };
  }

  /** It has gone on: with `next`, those behind it are next, for `retain` milliseconds. */
  async done(one: Waiting, message: string | undefined, next: number | undefined, retain: number): Promise<void> {
    const writes: Write[] = [
      { op: 'delete', space, key: this.#waitingKey(one) },
      { op: 'delete', space, key: this.#bodyKey(one) },
    ];
    if (message !== undefined) {
      writes.push({ op: 'put', space, key: this.#messageKey(message), value: new Uint8Array(0), ttl: rememberedMs });
    }
    if (next !== undefined) {
      writes.push({
        op: 'put',
        space,
        key: this.#streamKey(one.stream),
        value: Buffer.from(String(next)),
        ttl: retain,
      });
    }
    await this.#store.write(writes);
  }

  #streamKey(stream: string): string {
    return `${this.#identity} stream ${stream}`;
  }

  #messageKey(message: string): string {
    return `${this.#identity} message ${message}`;
  }

  #waitingKey({ stream, sequence }: Waiting): string {
    return `${this.#identity} waiting ${stream} ${orderly(sequence)}`;
  }

  #bodyKey({ stream, sequence }: Waiting): string {
    return `${this.#identity} body ${stream} ${orderly(sequence)}`;
  }
}

const digits = String(Number.MAX_SAFE_INTEGER).length;

/** Sorts as the numbers do, those below zero too. */
const orderly = (sequence: number): string =>
  sequence < 0
    ? `-${String(Number.MAX_SAFE_INTEGER + sequence).padStart(digits, '0')}`
    : `0${String(sequence).padStart(digits, '0')}`;

const numberIn = (text: string): number =>
  text.startsWith('-') ? Number(text.slice(1)) - Number.MAX_SAFE_INTEGER : Number(text);
