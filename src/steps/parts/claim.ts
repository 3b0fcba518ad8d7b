/** Keys in the store: taken while a message is under way, kept with its result when it has ended well. */
import { sleep } from '../../core/clock.ts';
import type { Services } from '../../core/exchange.ts';
import { joinRecord, splitRecord } from '../../core/record.ts';
import { failure, toFailure } from '../../errors.ts';
import { limits, type Store } from '../../store/store.ts';
import { type Result, type ResultHead, tooLarge } from './kept-result.ts';

const space = 'idempotent';

/** Between attempts to write what must not get lost, and to remove what only stands in the way. Milliseconds. */
const keepPauses: readonly number[] = [100, 300, 1000];
const freePauses: readonly number[] = [100, 1000, 5000, 20_000];

/** Whoever reads a key in between its change by somebody else asks again, so often. */
const mostRounds = 20;

/** A key, and who wants it. */
export interface Wanted {
  readonly store: Store;
  readonly services: Pick<Services, 'clock' | 'log' | 'background'>;
  readonly key: string;
  /** One execution of the step: the same when a durable message goes on after a crash. */
  readonly owner: string;
  readonly fingerprint: string;
  /** Milliseconds that it stays taken when the process ends, where others may have the store open. */
  readonly ttl: number;
  /** It goes on after a crash, by itself. */
  readonly durable: boolean;
  /** Milliseconds that its result is kept. */
  readonly retain: number;
  /** For the log. */
  readonly facts: Readonly<Record<string, unknown>>;
}

export type Asked =
  | { readonly is: 'taken'; readonly claim: Claim }
  | { readonly is: 'done'; readonly head: ResultHead; readonly body: Uint8Array }
  | { readonly is: 'busy' };

interface Head {
  readonly owner: string;
  readonly fingerprint: string;
  /** Of the store, when it was taken; absent where it stays taken by a message that goes on after a crash. */
  readonly session?: string | undefined;
  /** Absent: it is under way. */
  readonly result?: ResultHead;
}

const headOf = (value: Uint8Array): Head => splitRecord(value).head as Head;

/** Takes the key, unless somebody has it. Rejects with `key-reused` when that is about something else. */
export async function ask(wanted: Wanted): Promise<Asked> {
  const { store, key, owner, fingerprint, ttl } = wanted;
  const session = wanted.durable ? undefined : store.session;
  const value = joinRecord({ owner, fingerprint, ...(session === undefined ? {} : { session }) } satisfies Head, '');
  for (let round = 0; round < mostRounds; round++) {
    const written = await taking(wanted, value);
    if (written.written) return { is: 'taken', claim: new Claim(wanted, written.version) };
    const entry = await store.get(space, key);
    if (!entry) continue;
    const { head, body } = splitRecord(entry.value);
    const found = head as Head;
    if (found.owner === owner) {
      // Ours, of before a crash. What it did is in the journal: it goes the same way again, and nothing is done twice.
      const mine = await store.write([{ op: 'check', space, key, when: entry.version, ttl }]);
      if (mine.written) return { is: 'taken', claim: new Claim(wanted, entry.version) };
      continue;
    }
    if (!found.result && found.session !== undefined && found.session !== store.session) {
      // Of a process that has ended in the middle, and nobody goes on with it.
      await store.write([{ op: 'delete', space, key, when: entry.version }]);
      continue;
    }
    if (found.fingerprint !== fingerprint) throw failure('key-reused');
    return found.result ? { is: 'done', head: found.result, body } : { is: 'busy' };
  }
  return { is: 'busy' };
}

async function taking(wanted: Wanted, value: Uint8Array): ReturnType<Store['write']> {
  const { store, services, key, ttl } = wanted;
  try {
    return await store.write([{ op: 'put', space, key, value, when: 'absent', ttl }]);
  } catch (thrown) {
    // It may have been written all the same.
    services.background(freeLater(wanted));
    throw thrown;
  }
}

/** Removes what `owner` has written under the key. */
async function free({ store, key, owner }: Wanted): Promise<void> {
  const entry = await store.get(space, key);
  if (!entry || headOf(entry.value).owner !== owner) return;
  await store.write([{ op: 'delete', space, key, when: entry.version }]);
}

async function freeLater(wanted: Wanted): Promise<void> {
  const { clock, log } = wanted.services;
  for (const pause of freePauses) {
    await sleep(clock, pause);
    try {
      await free(wanted);
      return;
    } catch {}
  }
  log.warn('a key could not be freed: it frees itself', { ...wanted.facts, ms: wanted.ttl });
}

/** A key that is ours, as long as it is renewed; to be stopped. */
export class Claim {
  readonly #wanted: Wanted;
  readonly #version: number;
  #cancel: () => void = () => {};
  #stopped = false;

  constructor(wanted: Wanted, version: number) {
    this.#wanted = wanted;
    this.#version = version;
    this.#renewLater();
  }

  /** It is not renewed any more. */
  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  /** Keeps the result for those who come with the same key. Rejects when it cannot be written. */
  async keep(result: Result): Promise<void> {
    this.stop();
    const { store, services, key, owner, fingerprint, retain, facts } = this.#wanted;
    const record = ({ head, body }: Result): Uint8Array =>
      joinRecord({ owner, fingerprint, result: head } satisfies Head, body);
    const whole = record(result);
    const fits = whole.byteLength <= limits.value;
    if (!fits) services.log.warn('a reply is too large to be kept', { ...facts, bytes: whole.byteLength });
    const value = fits ? whole : record(tooLarge);
    for (let attempt = 0; ; attempt++) {
      try {
        const when = this.#version;
        const written = await store.write([{ op: 'put', space, key, value, when, ttl: retain }]);
        if (!written.written) await this.#tellWhetherLost();
        return;
      } catch (thrown) {
        const pause = keepPauses[attempt];
        if (toFailure(thrown).kind !== 'transient' || pause === undefined) throw thrown;
        await sleep(services.clock, pause);
      }
    }
  }

  /** Whoever comes now with the same key is the first again. Never rejects. */
  async free(): Promise<void> {
    this.stop();
    await free(this.#wanted).catch(() => this.#wanted.services.background(freeLater(this.#wanted)));
  }

  /** What was kept is not true any more: it was undone. */
  revoke(): Promise<void> {
    return free(this.#wanted);
  }

  // A write that failed for all we knew may have been done.
  async #tellWhetherLost(): Promise<void> {
    const { store, key, owner, services, facts } = this.#wanted;
    const entry = await store.get(space, key);
    if (entry && headOf(entry.value).owner === owner) return;
    services.log.error('a key was lost while its message was under way: a repeat of it may have been done too', facts);
  }

  #renewLater(): void {
    const { services, ttl } = this.#wanted;
    this.#cancel = services.clock.after(ttl / 3, () => void this.#renew(), true);
  }

  async #renew(): Promise<void> {
    const { store, key, ttl, services, facts } = this.#wanted;
    try {
      const written = await store.write([{ op: 'check', space, key, when: this.#version, ttl }]);
      if (!written.written) return;
    } catch (thrown) {
      services.log.warn('a key could not be renewed', { ...facts, code: toFailure(thrown).code });
    }
    if (!this.#stopped) this.#renewLater();
  }
}
