import type { Random } from '../../core/random.ts';
import { failure } from '../../errors.ts';
import { limits, type Put, type Store, type Write } from '../../store/store.ts';
import type { DeadLetter } from '../dead-letter.ts';
import type { Definition } from './definition.ts';
import { Definitions } from './definitions.ts';
import { afterNewest, afterOldest, idIn, newestFirst, oldestFirst, spaces } from './keys.ts';
import { countOf, keysOf, mostBytes, partsOf, readParts, togetherBytes } from './parts.ts';
import { fits, type Query } from './query.ts';
import { digestOf, type KeptLetter, type LetterHead, letterId, readHead, writeHead } from './record.ts';

/** A letter as it was at one moment. */
export interface FoundLetter extends KeptLetter {
  readonly head: LetterHead;
  /** Changes when the letter is kept again. */
  readonly version: number;
}

export interface LetterPage {
  readonly letters: readonly KeptLetter[];
  readonly next: string | undefined;
}

/** Parts that were written before what refers to them vanish when it never comes. */
const partsMs = 3_600_000;
/** How often a letter that others change at the same time is tried again. */
const patience = 20;
/** Entries of a page of the store. */
const pageSize = 200;
/** A page of letters is given as it is when so many were looked at: hardly any fits. */
const mostLooked = 5_000;

/**
 * The dead letters of an integration, in its store: the messages that it gave up, byte for byte, until a person has
 * decided about them.
 */
export class DeadLetters {
  readonly definitions: Definitions;
  readonly #store: Store;
  readonly #random: Random;

  constructor(store: Store, random: Random) {
    this.#store = store;
    this.#random = random;
    this.definitions = new Definitions(store);
  }

  /**
   * On disk when it resolves, in place of an older one with the same id. Rejects with `store-limit` when the body is too
   * large. Yields the id of the letter.
   */
  async keep(letter: DeadLetter, body: Uint8Array, definition?: Definition): Promise<string> {
    if (body.byteLength > mostBytes) {
      throw failure('store-limit', { detail: `a dead letter of ${body.byteLength} bytes; at most ${mostBytes}` });
    }
    const id = letterId(letter, body);
    const bytes = new BodyParts(this.#store, `${id} ${this.#random.uuid()}`, body);
    for (let i = 0; i < patience; i++) {
      const before = await this.get(id);
      const kept = before && bytes.sameAs(before.head) ? before.head : undefined;
      // What it was given up by first stays the original: whoever replays it with another one may want to go back.
      const uses = definition && !before?.head.original ? await this.definitions.use(definition, id) : [];
      const own = uses.length > 0 && definition ? { hash: definition.hash, version: letter.version } : undefined;
      const head: LetterHead = { ...(kept ?? bytes.described), letter, original: before?.head.original ?? own };
      const parts = kept ? [] : await bytes.writes();
      const written = await this.#store.write([...places(id, head, before), ...parts, ...uses]);
      if (!written.written) continue;
      // A crash in between leaves litter, and nothing worse.
      if (before && !kept && before.head.count > 0) await this.#store.write(deleted(before.head));
      return id;
    }
    throw failure('store', { store: this.#store.kind, detail: 'others change the same dead letter', sent: false });
  }

  async get(id: string): Promise<FoundLetter | undefined> {
    for (let i = 0; i < patience; i++) {
      const entry = await this.#store.get(spaces.byId, id);
      if (!entry) return undefined;
      const kept = await this.#store.get(spaces.letters, newestFirst(failedAtIn(entry.value), id));
      // It was replaced in between.
      if (!kept) continue;
      const head = readHead(kept.value);
      return { id, head, letter: head.letter, size: head.size, version: entry.version };
    }
    throw failure('store', { store: this.#store.kind, detail: `the dead letter ${id} is not whole`, sent: false });
  }

  /** Its bytes as they came. */
  async body({ id, head }: FoundLetter): Promise<Uint8Array> {
    const bytes = await readParts(this.#store, spaces.bodies, head.parts, head.count);
    if (bytes && digestOf(bytes) === head.digest) return bytes;
    const detail = `the body of the dead letter ${id} is not whole; was it kept again or removed meanwhile?`;
    throw failure('store', { store: this.#store.kind, detail, sent: false });
  }

  /** Whether it was removed: not when it is another one by now. */
  async remove({ id, head, letter, version }: FoundLetter): Promise<boolean> {
    const hash = head.original?.hash;
    const { written } = await this.#store.write([
      { op: 'delete', space: spaces.byId, key: id, when: version },
      { op: 'delete', space: spaces.letters, key: newestFirst(letter.failedAt, id) },
      { op: 'delete', space: spaces.byAge, key: oldestFirst(letter.failedAt, id) },
      ...(hash === undefined ? [] : [this.definitions.unuse(hash, id)]),
      ...deleted(head),
    ]);
    if (written && hash !== undefined) await this.definitions.leave(hash);
    return written;
  }

  /** A page of those that fit; it may have fewer, even none, and yet a next one. */
  async list(query: Query): Promise<LetterPage> {
    const oldest = query.order === 'oldest';
    const letters: KeptLetter[] = [];
    let after = query.after ?? startOf(query, oldest);
    for (let looked = 0; looked < mostLooked; looked += pageSize) {
      const space = oldest ? spaces.byAge : spaces.letters;
      const page = await this.#store.list(space, { after, limit: pageSize });
      for (const { key, value } of page.entries) {
        const found = oldest ? await this.get(idIn(key)) : keptIn(key, value);
        if (found && isBeyond(found.letter, query, oldest)) return { letters, next: undefined };
        after = key;
        if (!found || !fits(found.letter, query)) continue;
        letters.push({ id: found.id, letter: found.letter, size: found.size });
        if (letters.length === query.limit) return { letters, next: key };
      }
      if (page.next === undefined) return { letters, next: undefined };
      after = page.next;
    }
    return { letters, next: after };
  }
}

/** The bytes of one letter on their way into the store. */
class BodyParts {
  readonly described: Omit<LetterHead, 'letter' | 'original'>;
  readonly #store: Store;
  readonly #body: Uint8Array;
  /** Of those that are too many for one batch: written before what refers to them. */
  #ahead: readonly Write[] | undefined;

  constructor(store: Store, key: string, body: Uint8Array) {
    this.#store = store;
    this.#body = body;
    this.described = { size: body.byteLength, digest: digestOf(body), parts: key, count: countOf(body) };
  }

  sameAs({ size, digest }: LetterHead): boolean {
    return size === this.described.size && digest === this.described.digest;
  }

  /** For the batch that writes the letter. */
  async writes(): Promise<readonly Write[]> {
    const parts = partsOf(spaces.bodies, this.described.parts, this.#body);
    if (this.#body.byteLength <= togetherBytes) return parts;
    this.#ahead ??= await this.#writeAhead(parts);
    return this.#ahead;
  }

  async #writeAhead(parts: readonly Put[]): Promise<readonly Write[]> {
    const ahead: Write[] = [];
    for (const part of parts) {
      const written = await this.#store.write([{ ...part, ttl: partsMs }]);
      if (!written.written) throw failure('bug', { detail: 'a write without a condition was refused' });
      const { space, key } = part;
      ahead.push({ op: 'check', space, key, when: written.version, ttl: limits.ttl });
    }
    return ahead;
  }
}

/** The entries that make a letter found, in place of those of the one before. */
function places(id: string, head: LetterHead, before: FoundLetter | undefined): readonly Write[] {
  const { failedAt } = head.letter;
  const old = before && before.letter.failedAt !== failedAt ? before.letter.failedAt : undefined;
  const value = Buffer.from(JSON.stringify({ failedAt }));
  return [
    { op: 'put', space: spaces.byId, key: id, value, when: before?.version ?? 'absent' },
    { op: 'put', space: spaces.letters, key: newestFirst(failedAt, id), value: writeHead(head) },
    { op: 'put', space: spaces.byAge, key: oldestFirst(failedAt, id), value: new Uint8Array(0) },
    ...(old === undefined
      ? []
      : ([
          { op: 'delete', space: spaces.letters, key: newestFirst(old, id) },
          { op: 'delete', space: spaces.byAge, key: oldestFirst(old, id) },
        ] as const)),
  ];
}

const deleted = ({ parts, count }: LetterHead): readonly Write[] =>
  keysOf(parts, count).map((key) => ({ op: 'delete', space: spaces.bodies, key }));

const failedAtIn = (value: Uint8Array): number =>
  (JSON.parse(Buffer.from(value).toString()) as { readonly failedAt: number }).failedAt;

function keptIn(key: string, value: Uint8Array): KeptLetter {
  const { letter, size } = readHead(value);
  return { id: idIn(key), letter, size };
}

/** Behind it none can fit any more. */
const isBeyond = ({ failedAt }: DeadLetter, { since, until }: Query, oldest: boolean): boolean =>
  oldest ? until !== undefined && failedAt >= until : since !== undefined && failedAt < since;

function startOf({ since, until }: Query, oldest: boolean): string | undefined {
  if (oldest) return since === undefined ? undefined : afterOldest(since - 1);
  return until === undefined ? undefined : afterNewest(until);
}
