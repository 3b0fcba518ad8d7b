import type { Services } from '../../core/exchange.ts';
import { detailOf } from '../../errors.ts';
import type { Generation } from '../generation.ts';
import type { Program } from '../program.ts';
import type { FoundLetter } from './dead-letters.ts';
import type { Definition } from './definition.ts';
import type { Definitions } from './definitions.ts';
import type { Which } from './desk.ts';
import { notReplayable } from './refusals.ts';
import type { Route } from './replays.ts';

export interface RoutesWorld {
  readonly services: Pick<Services, 'clock' | 'log'>;
  readonly definitions: Definitions;
  /** What is running; `undefined` when nothing is. */
  readonly running: () => Generation | undefined;
  /** The definition as it is now. */
  readonly current: () => Program;
  /**
   * Opens a definition beside what is running, to be closed by `close`. Rejects with `not-replayable` when a message, that
   * with this `id`, cannot go through it.
   */
  readonly open: (
    program: Program,
    id: string,
  ) => Promise<{ readonly generation: Generation; close(drainMs: number): Promise<number> }>;
  /** Compiles a definition of before with the configuration of now. Rejects with `not-replayable`. */
  readonly compile: (definition: Definition, id: string) => Promise<Program>;
}

interface Opened {
  readonly generation: Promise<Generation>;
  readonly close: (drainMs: number) => Promise<number>;
  users: number;
  cancel: () => void;
}

/** How long what was opened for a replay stays open for the next one. Milliseconds. */
const lingerMs = 10_000;

/** Where replayed messages go: into the flows that run, or into those of a definition that is opened for them alone. */
export class Routes {
  readonly #world: RoutesWorld;
  /** By the hash of the definition, or `''` for that of now. */
  readonly #opened = new Map<string, Opened>();

  constructor(world: RoutesWorld) {
    this.#world = world;
  }

  async route(found: FoundLetter, which: Which): Promise<Route> {
    const { id, letter, head } = found;
    if (which === 'original') {
      if (!head.original) {
        throw notReplayable(id, 'the definition that gave it up was not kept. Replay it with the current one');
      }
      return this.#into(letter.flow, id, await this.#original(id, head.original.hash));
    }
    const running = this.#world.running();
    if (running) return this.#into(letter.flow, id, { generation: running, release: async () => {} });
    return this.#into(letter.flow, id, await this.#use('', id, async () => this.#world.current()));
  }

  /** Closes what was opened, once what is under way there is done, or `drainMs` are over: with how many were given up. */
  async close(drainMs: number): Promise<number> {
    const lost = await Promise.all([...this.#opened.keys()].map((hash) => this.#close(hash, drainMs)));
    return lost.reduce((sum, one) => sum + one, 0);
  }

  async #original(id: string, hash: string): Promise<{ readonly generation: Generation; release(): Promise<void> }> {
    // The flows that run are of this very definition.
    const running = this.#world.running();
    if (running?.definition.hash === hash) return { generation: running, release: async () => {} };
    return this.#use(hash, id, async () => {
      const definition = await this.#world.definitions.get(hash);
      if (!definition) throw notReplayable(id, 'the definition that gave it up is not there any more');
      return this.#world.compile(definition, id);
    });
  }

  async #into(
    flow: string,
    id: string,
    { generation, release }: { readonly generation: Generation; release(): Promise<void> },
  ): Promise<Route> {
    const deliver = generation.wayInto(flow);
    const { definition, program, clean } = generation;
    if (deliver) return { deliver, definition, version: program.source.version, clean, release };
    await release();
    const why = `the definition has no flow ${flow} with a source`;
    throw notReplayable(id, `${why}. Replay it with the original definition (\`--with original\`), or discard it`);
  }

  async #use(
    hash: string,
    id: string,
    program: () => Promise<Program>,
  ): Promise<{ readonly generation: Generation; release(): Promise<void> }> {
    const opened = this.#opened.get(hash) ?? this.#open(hash, id, program);
    opened.users++;
    opened.cancel();
    try {
      const generation = await opened.generation;
      return { generation, release: async () => this.#release(hash, opened) };
    } catch (thrown) {
      this.#opened.delete(hash);
      throw thrown;
    }
  }

  #open(hash: string, id: string, program: () => Promise<Program>): Opened {
    const opening = program().then((compiled) => this.#world.open(compiled, id));
    const opened: Opened = {
      generation: opening.then(({ generation }) => generation),
      close: async (drainMs) => (await opening).close(drainMs),
      users: 0,
      cancel: () => {},
    };
    this.#opened.set(hash, opened);
    return opened;
  }

  #release(hash: string, opened: Opened): void {
    opened.users--;
    if (opened.users > 0) return;
    opened.cancel = this.#world.services.clock.after(lingerMs, () => void this.#close(hash, 0), true);
  }

  async #close(hash: string, drainMs: number): Promise<number> {
    const opened = this.#opened.get(hash);
    this.#opened.delete(hash);
    opened?.cancel();
    try {
      return (await opened?.close(drainMs)) ?? 0;
    } catch (thrown) {
      const detail = detailOf(thrown);
      this.#world.services.log.error('what was opened for a replay could not be closed', { detail });
      return 0;
    }
  }
}
