import type { Exchange, Origin } from '../../core/exchange.ts';
import { failure } from '../../errors.ts';
import type { Evaluate } from '../step.ts';
import { type Completion, type GroupRunner, type Held, originOf } from './group-runner.ts';
import type { CompleteGroup, Found, Group, Part, Reason } from './group-store.ts';

/** What one message brings. */
export interface Collected extends Part {
  readonly key: string;
  readonly hash: string;
}

export interface CollectorRules extends Completion {
  readonly size?: number | undefined;
  readonly when?: Evaluate | undefined;
  readonly maxGroups: number;
  readonly maxMessages: number;
  readonly maxSize: number;
}

export interface Completed {
  readonly group: CompleteGroup;
  readonly held: Held;
}

/** Other processes may write to the same group at the same time: so often it is tried again. */
const patience = 50;

/** Puts messages into their groups, one after the other in each, and sees when one is complete. */
export class Collector {
  readonly #runner: GroupRunner;
  readonly #rules: CollectorRules;
  /** By group: the last message that is being added. */
  readonly #adding = new Map<string, Promise<unknown>>();

  constructor(runner: GroupRunner, rules: CollectorRules) {
    this.#runner = runner;
    this.#rules = rules;
  }

  /** Durable when it resolves. With the group where this message has completed it. */
  async add(collected: Collected, exchange: Exchange): Promise<Completed | undefined> {
    const { hash } = collected;
    const before = this.#adding.get(hash) ?? Promise.resolve();
    const adding = before.then(
      () => this.#add(collected, exchange),
      () => this.#add(collected, exchange),
    );
    this.#adding.set(hash, adding);
    try {
      return await adding;
    } finally {
      if (this.#adding.get(hash) === adding) this.#adding.delete(hash);
    }
  }

  originOf(group: CompleteGroup): Origin {
    return originOf(group);
  }

  async #add(collected: Collected, exchange: Exchange): Promise<Completed | undefined> {
    const { groups } = this.#runner;
    for (let round = 0; round < patience; round++) {
      exchange.life.check();
      const known = collected.message === undefined ? undefined : await groups.groupOf(collected.message);
      if (known !== undefined) return this.#again(known, collected);
      const before = await groups.open(collected.hash);
      this.#checkCount(collected, before);
      const group = this.#with(collected, exchange, before);
      const reason = await this.#reason(group, exchange);
      if (reason === undefined) this.#checkSize(group, before);
      const written = await (reason === undefined
        ? this.#collect(group, collected, before)
        : this.#complete({ ...group, reason }, collected, exchange, before));
      if (written !== 'again') return written;
    }
    throw failure('store', {
      store: 'aggregate',
      detail: 'other processes write to the same group all the time',
      sent: false,
    });
  }

  async #collect(group: Group, part: Part, before: Found | undefined): Promise<undefined | 'again'> {
    const added = await this.#runner.groups.add(group, part, before);
    if (added !== 'added') return 'again';
    this.#runner.expect(group);
    return undefined;
  }

  async #complete(
    group: CompleteGroup,
    part: Part,
    { life }: Exchange,
    before: Found | undefined,
  ): Promise<Completed | 'again'> {
    const held = await this.#runner.hold(group.id);
    if (!held) return 'again';
    const durableMessage = life.journal ? part.message : undefined;
    const whole: CompleteGroup = durableMessage === undefined ? group : { ...group, durableMessage };
    let added: string | undefined;
    try {
      added = await this.#runner.groups.add(whole, part, before);
    } finally {
      if (added !== 'added') await held.free();
    }
    if (added !== 'added') return 'again';
    this.#runner.forget(group.hash);
    return { group: whole, held };
  }

  /** The message is in a group already: where it completed it and is durable, it goes on with it. */
  async #again(id: string, { message }: Collected): Promise<Completed | undefined> {
    const group = await this.#runner.groups.complete(id);
    if (!group || group.done) return undefined;
    if (group.durableMessage === undefined || group.durableMessage !== message) {
      this.#runner.run(id);
      return undefined;
    }
    const held = await this.#runner.hold(id);
    return held && { group, held };
  }

  #with({ key, hash, value }: Collected, exchange: Exchange, before: Found | undefined): Group {
    const { services, headers, origin } = exchange;
    const now = services.clock.now();
    const { key: _, ...known } = origin;
    return {
      id: before?.group.id ?? services.random.uuid(),
      key,
      hash,
      count: (before?.group.count ?? 0) + 1,
      bytes: (before?.group.bytes ?? 0) + Buffer.byteLength(value) + 1,
      first: before?.group.first ?? now,
      last: now,
      headers,
      origin: known,
    };
  }

  async #reason(group: Group, exchange: Exchange): Promise<Reason | undefined> {
    const { size, when } = this.#rules;
    if (size !== undefined && group.count >= size) return 'size';
    if (!when) return undefined;
    const { key, count } = group;
    const source = { ...exchange.origin.source, group: { key, size: count } };
    return (await when(exchange.with({ origin: { ...exchange.origin, source } }))) === true ? 'when' : undefined;
  }

  #checkCount({ hash }: Collected, before: Found | undefined): void {
    const { maxGroups } = this.#rules;
    if (before || this.#runner.isKnown(hash) || this.#runner.count < maxGroups) return;
    throw full(`${maxGroups} groups wait for more messages (\`maxGroups\`)`, this.#fullKind);
  }

  #checkSize({ count, bytes }: Group, before: Found | undefined): void {
    const { maxMessages, maxSize } = this.#rules;
    const kind = before ? this.#fullKind : 'permanent';
    if (count > maxMessages) throw full(`its group has ${maxMessages} messages (\`maxMessages\`)`, kind);
    if (bytes > maxSize) throw full(`its group would have ${bytes} bytes, of ${maxSize} (\`maxSize\`)`, kind);
  }

  /** Only time makes room for sure: who waited for other messages might keep them from coming. */
  get #fullKind(): 'rejected' | 'permanent' {
    const { idle, within } = this.#rules;
    return idle !== undefined || within !== undefined ? 'rejected' : 'permanent';
  }
}

const full = (detail: string, kind: 'rejected' | 'permanent') =>
  failure('aggregate-full', { detail, retryAfter: 1000 }, { kind });
