/** What becomes of complete groups, and of those whose time is over: the rest of the flow is run over them. */
import { Body } from '../../core/body.ts';
import { sleep } from '../../core/clock.ts';
import type { Origin } from '../../core/exchange.ts';
import { type Failure, failure, toFailure } from '../../errors.ts';
import type { Later, LaterMessage, LaterWorld } from '../step.ts';
import { type CompleteGroup, type Found, type Group, GroupStore, type Reason } from './group-store.ts';
import { type HeldLease, heldLease } from './held-lease.ts';
import { Timers } from './timers.ts';

/** How often what others left behind is looked for. Milliseconds. */
const lookMs = { shared: 10_000, own: 60_000 } as const;
/** How long a group of a shared store stays taken when its process falls silent. */
const leaseMs = 30_000;
/** Between attempts to remove a group that is done. */
const removePauses: readonly number[] = [100, 1000, 5000];

export interface Completion {
  readonly idle?: number | undefined;
  readonly within?: number | undefined;
}

/** A complete group in the hands of the message that completed it. */
export interface Held {
  /** It was not completed after all. */
  free(): Promise<void>;
  /** The rest of the flow is done. */
  done(): Promise<void>;
  /** The rest of the flow failed: the group goes on by itself, and this was its first attempt. */
  failed(error: Failure): Promise<void>;
}

export class GroupRunner implements Later {
  readonly #identity: string;
  readonly #completion: Completion;
  /** Groups that wait for more messages, as far as is known here, and when their time is over. */
  readonly #timers = new Timers();
  /** What the rest of the flow met when the completing message went through it. */
  readonly #failures = new Map<string, Failure>();
  /** Done, but still in the store. */
  readonly #done = new Set<string>();
  #world: LaterWorld | undefined;
  #groups: GroupStore | undefined;
  #stopped = false;
  #cancelLook: () => void = () => {};

  constructor(identity: string, completion: Completion) {
    this.#identity = identity;
    this.#completion = completion;
  }

  open(world: LaterWorld): void {
    this.#world = world;
    this.#groups = new GroupStore(this.#identity, world.store);
    this.#timers.open(world.services.clock, (hash) => this.#background(this.#timeIsOver(hash)));
  }

  async wake(): Promise<void> {
    await this.#look();
    this.#lookLater();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelLook();
    this.#timers.stop();
  }

  /** What the completing message met behind the step was the first attempt. */
  begin(id: string): void {
    const failed = this.#failures.get(id);
    this.#failures.delete(id);
    if (failed) throw failed;
  }

  get groups(): GroupStore {
    if (!this.#groups) throw failure('bug', { detail: `${this.#identity} is not open` });
    return this.#groups;
  }

  /** How many groups wait for more messages, as far as is known here. */
  get count(): number {
    return this.#timers.count;
  }

  isKnown(hash: string): boolean {
    return this.#timers.has(hash);
  }

  /** It waits for more messages. */
  expect(group: Group): void {
    this.#timers.set(group.hash, this.#dueAt(group));
  }

  forget(hash: string): void {
    this.#timers.delete(hash);
  }

  /** Nobody else begins to run it from here on; `undefined`: somebody has. To be asked before it is written. */
  async hold(id: string): Promise<Held | undefined> {
    const { underWay } = this.#opened;
    if (underWay.has(id)) return undefined;
    underWay.add(id);
    const lease = await this.#lease(id).catch((thrown: unknown) => {
      underWay.delete(id);
      throw thrown;
    });
    const free = async (): Promise<void> => {
      await lease?.release();
      underWay.delete(id);
    };
    if (!lease) {
      underWay.delete(id);
      return undefined;
    }
    return {
      free,
      done: async () => {
        this.#done.add(id);
        await this.#remove(id);
        await free();
      },
      failed: async (error) => {
        const group = await this.groups.complete(id);
        if (group?.durableMessage !== undefined) await this.groups.leave(group);
        await free();
        this.#failures.set(id, error);
        this.run(id);
      },
    };
  }

  /** Runs the rest of the flow over a complete group, unless somebody does. */
  run(id: string): void {
    const { underWay } = this.#opened;
    if (this.#stopped || underWay.has(id)) return;
    underWay.add(id);
    this.#background(this.#run(id).finally(() => underWay.delete(id)));
  }

  get #opened(): LaterWorld {
    if (!this.#world) throw failure('bug', { detail: `${this.#identity} is not open` });
    return this.#world;
  }

  #lease(id: string): Promise<HeldLease | undefined> {
    const { store, services } = this.#opened;
    return heldLease(store, services, `aggregate ${this.#identity} ${id}`, leaseMs);
  }

  #dueAt({ first, last }: Group): number | undefined {
    const { idle, within } = this.#completion;
    const times = [idle === undefined ? [] : last + idle, within === undefined ? [] : first + within].flat();
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #reasonFor({ first }: Group, now: number): Reason {
    const { within } = this.#completion;
    return within !== undefined && first + within <= now ? 'within' : 'idle';
  }

  #background(work: Promise<unknown>): void {
    this.#opened.services.background(
      work.catch((thrown: unknown) => this.#tell(toFailure(thrown))),
      `a group of ${this.#identity}`,
    );
  }

  #tell(error: Failure): void {
    if (error.kind === 'cancelled') return;
    const { code, message: detail } = error;
    this.#opened.services.log.warn('a group could not go on yet; it is tried again', {
      aggregate: this.#identity,
      code,
      detail,
    });
  }

  async #timeIsOver(hash: string): Promise<void> {
    const found: Found | undefined = await this.groups.open(hash);
    if (!found) {
      this.#timers.delete(hash);
      return;
    }
    const now = this.#opened.services.clock.now();
    const due = this.#dueAt(found.group);
    // A message has come in between, here or elsewhere.
    if (due === undefined || due > now || !(await this.groups.finish(found, this.#reasonFor(found.group, now)))) {
      this.expect(found.group);
      return;
    }
    this.#timers.delete(hash);
    this.run(found.group.id);
  }

  async #run(id: string): Promise<void> {
    const { deliver } = this.#opened;
    const lease = await this.#lease(id);
    if (!lease) return;
    try {
      const group = await this.groups.complete(id);
      if (!group) return;
      if (!group.done && !this.#done.has(id)) await deliver(await this.#message(group));
      this.#done.add(id);
      await this.#remove(id);
    } finally {
      await lease.release();
    }
  }

  async #message(group: CompleteGroup): Promise<LaterMessage> {
    const { list, links } = await this.collected(group);
    return {
      id: group.id,
      key: group.id,
      body: Body.value(list),
      headers: group.headers,
      origin: originOf(group),
      links,
    };
  }

  /** What was collected, in the order in which it came, and the spans in which it was. */
  async collected(
    group: CompleteGroup,
  ): Promise<{ readonly list: readonly unknown[]; readonly links: readonly string[] }> {
    const parts = await this.groups.parts(group.id);
    if (parts.length === group.count) {
      return {
        list: parts.flatMap(({ value }) => (value === '' ? [] : [JSON.parse(value)])),
        links: parts.flatMap(({ span }) => span ?? []),
      };
    }
    const detail = `${parts.length} of ${group.count} messages of a group are there`;
    throw failure('store', { store: this.#opened.store.kind, detail, sent: false });
  }

  async #remove(id: string): Promise<void> {
    const { services, store } = this.#opened;
    for (const pause of [0, ...removePauses]) {
      if (pause > 0) await sleep(services.clock, pause);
      try {
        const group = await this.groups.complete(id);
        if (group) await this.groups.remove(group);
        this.#done.delete(id);
        return;
      } catch (thrown) {
        this.#tell(toFailure(thrown));
      }
    }
    services.log.error('a group is done and could not be removed: after a restart it goes on once more', {
      aggregate: this.#identity,
      group: id,
      store: store.kind,
    });
  }

  /** What another process, or this one before, has left. */
  async #look(): Promise<void> {
    for await (const { id, durableMessage } of this.groups.allComplete()) {
      if (this.#stopped) return;
      // A durable message goes on itself.
      if (durableMessage === undefined) this.run(id);
    }
    for await (const group of this.groups.allOpen()) {
      if (this.#stopped) return;
      if (!this.#timers.has(group.hash)) this.expect(group);
    }
  }

  #lookLater(): void {
    const { services, store } = this.#opened;
    if (this.#stopped) return;
    this.#cancelLook = services.clock.after(
      store.shared ? lookMs.shared : lookMs.own,
      () => this.#background(this.#look().finally(() => this.#lookLater())),
      true,
    );
  }
}

/** Of the last message, with what is known of the group. */
export const originOf = (group: CompleteGroup): Origin => ({
  ...group.origin,
  attempt: 1,
  key: group.id,
  source: { ...group.origin.source, group: { key: group.key, size: group.count, reason: group.reason } },
});
