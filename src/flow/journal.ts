import { createHash } from 'node:crypto';
import type { Exchange } from '../core/exchange.ts';
import type { Journal, Nature } from '../core/journal.ts';
import { failure, outcomeOf, toFailure } from '../errors.ts';
import { readResult, writeAnswer, writeError } from './records.ts';

/** Where a message keeps its account: the part of the store that is its own. */
export interface Account {
  /** Durable when it resolves. Rejects with `suspended` when the message is somebody else's by now. */
  put(key: string, value: Uint8Array): Promise<void>;
}

const intent = new Uint8Array(0);

/** Other places are kept by their hash: the keys of a store are bounded. */
const plain = /^[\x21-\x7e]{1,600}$/;

/** The account of one message. `recorded`: what a run before this one left, by key. */
export class MessageJournal implements Journal {
  readonly #id: string;
  readonly #account: Account;
  readonly #recorded: ReadonlyMap<string, Uint8Array>;
  readonly #drawn = new Map<string, number>();

  constructor(id: string, account: Account, recorded: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.#id = id;
    this.#account = account;
    this.#recorded = recorded;
  }

  async effect(
    at: string,
    exchange: Exchange,
    nature: Nature,
    perform: () => Promise<Exchange | undefined>,
  ): Promise<Exchange | undefined> {
    const key = keyOf(at);
    const result = this.#recorded.get(`${key} result`);
    if (result) return readResult(result, exchange);
    const intended = this.#recorded.has(`${key} intent`);
    if (intended && !nature.repeatable) throw failure('unknown-outcome', { endpoint: exchange.response?.endpoint });
    if (!nature.safe && !intended) await this.#account.put(`${key} intent`, intent);
    let answer: Exchange | undefined;
    let record: Uint8Array;
    try {
      answer = await perform();
      // A stream is read here, once; from then on the body is there.
      record = await writeAnswer(answer, exchange.services.codec);
    } catch (thrown) {
      // What the end of the process cut off has no result: the next run decides.
      if (exchange.life.suspended) throw thrown;
      const error = toFailure(thrown);
      // Whatever it met this time: before the crash it may have been done.
      if (intended && outcomeOf(error) === 'none') error.doubtful = true;
      await this.#account.put(`${key} result`, writeError(error));
      throw error;
    }
    await this.#account.put(`${key} result`, record);
    return answer;
  }

  uuid(position: string): string {
    const count = (this.#drawn.get(position) ?? 0) + 1;
    this.#drawn.set(position, count);
    const hash = createHash('sha256').update(`${this.#id} ${position} ${count}`).digest();
    hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x80;
    hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
    const hex = hash.toString('hex', 0, 16);
    // Version 8: made by our own rule (RFC 9562 §5.8).
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }
}

const keyOf = (at: string): string => (plain.test(at) ? at : createHash('sha256').update(at).digest('base64url'));
