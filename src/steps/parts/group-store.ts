/** How an Aggregator keeps its groups: each message an entry of its own, so that adding one costs the same whatever is there. */
import type { Headers, Origin } from '../../core/exchange.ts';
import { joinRecord, keptHeaders, splitRecord } from '../../core/record.ts';
import { entries } from '../../store/entries.ts';
import { limits, type Store, type Write } from '../../store/store.ts';
import { rememberedMs } from './message-id.ts';

const space = 'aggregate';

/** Messages with the same key, while more are waited for. */
export interface Group {
  readonly id: string;
  /** As the messages have it. */
  readonly key: string;
  /** Of the key: of a fixed length. */
  readonly hash: string;
  readonly count: number;
  /** All values together. */
  readonly bytes: number;
  /** When the first and the last message came: milliseconds since the epoch. */
  readonly first: number;
  readonly last: number;
  /** Of the last message. */
  readonly headers: Headers;
  readonly origin: Origin;
}

export const reasons = ['size', 'when', 'idle', 'within'] as const;
export type Reason = (typeof reasons)[number];

/** Nobody is waited for any more: the rest of the flow is run over it. */
export interface CompleteGroup extends Group {
  readonly reason: Reason;
  /** The durable message that completed it, and goes on with it after a crash. */
  readonly durableMessage?: string | undefined;
  /** The rest of the flow is done; what is left is only to be removed. */
  readonly done?: true;
}

export interface Part {
  /** What tells the message from others; absent where nothing does. */
  readonly message: string | undefined;
  /** As JSON; empty = nothing. */
  readonly value: string;
  /** The span in which it was collected, as `traceparent`; absent where none was recorded. */
  readonly span?: string | undefined;
}

export interface Found {
  readonly group: Group;
  readonly version: number;
}

/** `known`: the message is in a group already. `changed`: somebody else has written to the group in between. */
export type Added = 'added' | 'known' | 'changed';

export class GroupStore {
  readonly #identity: string;
  readonly #store: Store;

  constructor(identity: string, store: Store) {
    this.#identity = identity;
    this.#store = store;
  }

  async open(hash: string): Promise<Found | undefined> {
    const entry = await this.#store.get(space, this.#openKey(hash));
    return entry && { group: groupIn(entry.value) as Group, version: entry.version };
  }

  async complete(id: string): Promise<CompleteGroup | undefined> {
    const entry = await this.#store.get(space, this.#completeKey(id));
    return entry && (groupIn(entry.value) as CompleteGroup);
  }

  /** The group that the message is in, or was in not long ago. */
  async groupOf(message: string): Promise<string | undefined> {
    const entry = await this.#store.get(space, this.#messageKey(message));
    return entry && Buffer.from(entry.value).toString();
  }

  /** Adds the last message of `group`, which is complete with it where it has a reason. `before`: the group without it. */
  async add(group: Group | CompleteGroup, part: Part, before: Found | undefined): Promise<Added> {
    const { id, hash, count } = group;
    const when = before?.version ?? 'absent';
    const key = this.#openKey(hash);
    const head: readonly Write[] =
      'reason' in group
        ? [
            before ? { op: 'delete', space, key, when: before.version } : { op: 'check', space, key, when: 'absent' },
            { op: 'put', space, key: this.#completeKey(id), value: writeGroup(group) },
          ]
        : [{ op: 'put', space, key, value: writeGroup(group), when }];
    const { message, span } = part;
    const value = joinRecord({ message, span }, part.value);
    const written = await this.#store.write([
      ...head,
      { op: 'put', space, key: this.#partKey(id, count), value },
      ...(message === undefined
        ? []
        : [{ op: 'put', space, key: this.#messageKey(message), value: Buffer.from(id), when: 'absent' } as const]),
    ]);
    if (written.written) return 'added';
    return written.conflict === 0 ? 'changed' : 'known';
  }

  /** It is complete without another message: `false` when it has changed in between. */
  async finish({ group, version }: Found, reason: Reason): Promise<boolean> {
    const { written } = await this.#store.write([
      { op: 'delete', space, key: this.#openKey(group.hash), when: version },
      { op: 'put', space, key: this.#completeKey(group.id), value: writeGroup({ ...group, reason }) },
    ]);
    return written;
  }

  /** Whoever takes up what was left behind may run it. */
  async leave(group: CompleteGroup): Promise<void> {
    const value = writeGroup({ ...group, durableMessage: undefined });
    await this.#store.write([{ op: 'put', space, key: this.#completeKey(group.id), value }]);
  }

  /** In the order in which they came. */
  async parts(id: string): Promise<readonly Part[]> {
    const parts: Part[] = [];
    for await (const { value } of entries(this.#store, space, { prefix: this.#partPrefix(id) })) {
      const { head, body } = splitRecord(value);
      parts.push({ ...(head as Omit<Part, 'value'>), value: Buffer.from(body).toString() });
    }
    return parts;
  }

  /** It is done. Its messages are known for a while: who comes again is not added to another group. */
  async remove(group: CompleteGroup): Promise<void> {
    const parts = await this.parts(group.id);
    const writes = parts.flatMap(({ message }, index): readonly Write[] => [
      { op: 'delete', space, key: this.#partKey(group.id, index + 1) },
      ...(message === undefined
        ? []
        : [
            {
              op: 'put',
              space,
              key: this.#messageKey(message),
              value: Buffer.from(group.id),
              ttl: rememberedMs,
            } as const,
          ]),
    ]);
    const key = this.#completeKey(group.id);
    const head: Write = { op: 'delete', space, key };
    if (writes.length < limits.batch) {
      await this.#store.write([head, ...writes]);
      return;
    }
    // In several batches: should the process end in between, nobody must take what is left for the whole.
    await this.#store.write([{ op: 'put', space, key, value: writeGroup({ ...group, done: true }) }]);
    for (let at = 0; at < writes.length; at += limits.batch) {
      await this.#store.write(writes.slice(at, at + limits.batch));
    }
    await this.#store.write([head]);
  }

  async *allOpen(): AsyncGenerator<Group> {
    for await (const { value } of entries(this.#store, space, { prefix: this.#openKey('') })) {
      yield groupIn(value) as Group;
    }
  }

  async *allComplete(): AsyncGenerator<CompleteGroup> {
    for await (const { value } of entries(this.#store, space, { prefix: this.#completeKey('') })) {
      yield groupIn(value) as CompleteGroup;
    }
  }

  #openKey(hash: string): string {
    return `${this.#identity} open ${hash}`;
  }

  #completeKey(id: string): string {
    return `${this.#identity} complete ${id}`;
  }

  #messageKey(message: string): string {
    return `${this.#identity} message ${message}`;
  }

  #partPrefix(id: string): string {
    return `${this.#identity} part ${id} `;
  }

  #partKey(id: string, count: number): string {
    return this.#partPrefix(id) + String(count).padStart(8, '0');
  }
}

const writeGroup = (group: Group | CompleteGroup): Uint8Array => Buffer.from(JSON.stringify(group));

function groupIn(value: Uint8Array): Group | CompleteGroup {
  const group = JSON.parse(Buffer.from(value).toString()) as Group | CompleteGroup;
  return { ...group, headers: keptHeaders(group.headers) };
}
