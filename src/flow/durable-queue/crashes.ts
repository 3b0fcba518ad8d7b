import { failure } from '../../errors.ts';
import type { Entry, Store, Write } from '../../store/store.ts';
import { limits } from '../../store/store.ts';
import { lost, numbered, numberOf } from './keys.ts';

/** Which parts are being read, and how many of their messages may be out. Gone after an orderly end. */
const open = 'queue-open';
/** Messages that were out when a process died, with the attempt that comes next. */
const attempts = 'queue-attempts';

const bytesOf = (value: number): Uint8Array => Buffer.from(String(value));
const numberFrom = (entry: Entry | undefined): number | undefined =>
  entry && Number(Buffer.from(entry.value).toString());

/**
 * What crashes say about the messages of a part: one that ends the process must not end it for ever. After a crash those
 * that may have been out are handed over one at a time; if the process dies again, the first is the one that was out, and
 * an attempt of it is counted.
 */
export class Crashes {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #fence: () => readonly Write[];
  readonly #attempts = new Map<number, number>();
  /** How many of the first messages may have been out when the process died. */
  #suspects = 0;
  /** What the store says is out at most. */
  #noted = 0;
  #noting: Promise<void> | undefined;

  constructor(store: Store, prefix: string, fence: () => readonly Write[]) {
    this.#store = store;
    this.#prefix = prefix;
    this.#fence = fence;
  }

  /** `first`: the number of the first message; `undefined`: there is none. */
  async look(first: number | undefined): Promise<void> {
    await this.#readAttempts();
    const out = numberFrom(await this.#store.get(open, this.#prefix));
    if (out === undefined) return;
    this.#noted = out;
    if (first === undefined) return;
    this.#suspects = out;
    if (out === 1) await this.#blame(first);
  }

  /** Whether only one message may be out. */
  get careful(): boolean {
    return this.#suspects > 0;
  }

  /** The attempt that comes next, where it is known. */
  attemptOf(number: number): number | undefined {
    return this.#attempts.get(number);
  }

  /** Whether the store knows that so many may be out; `undefined`: it is being told. */
  knows(count: number): boolean | undefined {
    return this.#noting ? undefined : this.#noted === count;
  }

  /** Tells the store how many may be out: before they are. */
  note(count: number): Promise<void> {
    this.#noting ??= this.#note(count).finally(() => {
      this.#noting = undefined;
    });
    return this.#noting;
  }

  /** What has to go with a message that is done. */
  removals(number: number): readonly Write[] {
    return this.#attempts.has(number) ? [{ op: 'delete', space: attempts, key: numbered(this.#prefix, number) }] : [];
  }

  settled(number: number): void {
    this.#attempts.delete(number);
    this.#suspects = Math.max(0, this.#suspects - 1);
  }

  /** An orderly end: nothing is out. */
  async close(): Promise<void> {
    await this.#noting?.catch(() => {});
    if (this.#noted > 0) await this.#store.write([{ op: 'delete', space: open, key: this.#prefix }]);
    this.#noted = 0;
  }

  async #note(count: number): Promise<void> {
    const value = bytesOf(count);
    const written = await this.#store.write([...this.#fence(), { op: 'put', space: open, key: this.#prefix, value }]);
    if (!written.written) throw failure('store', { store: this.#store.kind, detail: lost, sent: false });
    this.#noted = count;
  }

  async #blame(number: number): Promise<void> {
    const next = (this.#attempts.get(number) ?? 1) + 1;
    const key = numbered(this.#prefix, number);
    await this.#store.write([...this.#fence(), { op: 'put', space: attempts, key, value: bytesOf(next) }]);
    this.#attempts.set(number, next);
  }

  async #readAttempts(): Promise<void> {
    let after: string | undefined;
    do {
      const page = await this.#store.list(attempts, { prefix: this.#prefix, after, limit: limits.page });
      for (const entry of page.entries) this.#attempts.set(numberOf(entry.key), numberFrom(entry) ?? 1);
      after = page.next;
    } while (after !== undefined);
  }
}
