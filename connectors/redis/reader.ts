import type { Clock } from '#sdk';
import type { Connection } from './connection.ts';
import { type Entry, readOf } from './entries.ts';
import type { Claimed, Group, Place } from './group.ts';

/** How long the server waits for new entries before it answers that there are none. */
const blockMs = 5_000;

export interface ReaderWorld {
  readonly clock: Clock;
  readonly claimAfter: number;
  readonly heartbeat: number;
  /** How many more entries may be held. */
  readonly room: () => number;
  readonly isHeld: (id: string) => boolean;
  readonly take: (entry: Entry, count: number) => void;
  /** So many entries were removed from the stream before anybody had done them. */
  readonly trimmed: (count: number) => void;
}

/** Takes entries as long as there is room: first what this member had, then what dead ones left, then new ones. */
export class Reader {
  readonly #blocking: Connection;
  readonly #commands: Connection;
  readonly #group: Group;
  readonly #place: Place;
  readonly #world: ReaderWorld;
  readonly #id: string;
  /** Where the look at what this member had goes on; `undefined`: all was seen. */
  #own: string | undefined = '';
  #cursor = '0-0';
  #nextClaim = 0;
  #wake: () => void = () => {};
  #reading = false;
  #ended = false;
  #running: Promise<void> = Promise.resolve();

  private constructor(
    connections: { readonly blocking: Connection; readonly commands: Connection; readonly id: string },
    group: Group,
    place: Place,
    world: ReaderWorld,
  ) {
    this.#blocking = connections.blocking;
    this.#commands = connections.commands;
    this.#id = connections.id;
    this.#group = group;
    this.#place = place;
    this.#world = world;
  }

  static async open(
    connections: { readonly blocking: Connection; readonly commands: Connection },
    group: Group,
    place: Place,
    world: ReaderWorld,
  ): Promise<Reader> {
    const id = String(await connections.blocking.command('CLIENT', 'ID').catch(() => ''));
    return new Reader({ ...connections, id }, group, place, world);
  }

  /** Rejects when it cannot go on. */
  run(): Promise<void> {
    const running = this.#run();
    this.#running = running.catch(() => undefined);
    return running;
  }

  /** There is more room. */
  wake(): void {
    this.#wake();
  }

  /** There is something to be taken over, at once. */
  look(): void {
    this.#nextClaim = 0;
    if (this.#reading && this.#id !== '') this.#commands.command('CLIENT', 'UNBLOCK', this.#id).catch(() => undefined);
  }

  /** Takes no more; resolves when what the server had handed out by then is here. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#wake();
    if (this.#reading) await this.#unblock();
    await this.#running;
  }

  async #unblock(): Promise<void> {
    const { clock } = this.#world;
    // It answers at once then, with nothing. Where that is not allowed it is cut off, and what it may have been handed
    // in this very moment is taken up again later.
    const cancel = clock.after(1_000, () => this.#blocking.drop('not needed any more'));
    try {
      if (this.#id === '') throw new Error('not allowed');
      await this.#commands.command('CLIENT', 'UNBLOCK', this.#id);
      await this.#running;
    } catch {
      this.#blocking.drop('not needed any more');
    } finally {
      cancel();
    }
  }

  async #run(): Promise<void> {
    const { clock, room } = this.#world;
    while (!this.#ended) {
      const count = room();
      if (count <= 0) await this.#untilRoom();
      else if (this.#own !== undefined) await this.#takeOwn(count);
      else if (clock.monotonic() >= this.#nextClaim) await this.#takeAbandoned(count);
      else await this.#takeNew(count);
    }
  }

  #untilRoom(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#ended) resolve();
    });
  }

  async #takeOwn(count: number): Promise<void> {
    const { isHeld } = this.#world;
    const { entries, last } = await this.#group.own(this.#own ?? '', Math.max(count, 1), (id) => !isHeld(id));
    this.#own = last;
    this.#takeClaimed(entries);
  }

  async #takeAbandoned(count: number): Promise<void> {
    const { clock, claimAfter, trimmed } = this.#world;
    const found = await this.#group.abandoned(claimAfter, count, this.#cursor);
    this.#cursor = found.cursor;
    // At its end the next look is a while away; members that looked together at first do not stay together.
    if (found.cursor === '0-0') this.#nextClaim = clock.monotonic() + claimAfter / 2;
    if (found.trimmed > 0) trimmed(found.trimmed);
    this.#takeClaimed(found.entries);
  }

  #takeClaimed(entries: readonly Claimed[]): void {
    for (const entry of entries) this.#world.take(entry, entry.count);
  }

  async #takeNew(count: number): Promise<void> {
    const { stream, group, consumer } = this.#place;
    const { clock, heartbeat } = this.#world;
    const wait = Math.max(1, Math.ceil(Math.min(blockMs, this.#nextClaim - clock.monotonic())));
    // It answers when that is over: one that does not is gone.
    const cancel = clock.after(wait + heartbeat, () => this.#blocking.drop('the server fell silent'), true);
    this.#reading = true;
    try {
      const reply = await this.#blocking.command(
        ...[
          'XREADGROUP',
          'GROUP',
          group,
          consumer,
          'COUNT',
          String(count),
          'BLOCK',
          String(wait),
          'STREAMS',
          stream,
          '>',
        ],
      );
      for (const entry of readOf(reply)) this.#world.take(entry, 1);
    } finally {
      this.#reading = false;
      cancel();
    }
  }
}
