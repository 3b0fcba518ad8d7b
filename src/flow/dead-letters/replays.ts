import { Body } from '../../core/body.ts';
import type { Exchange, Services } from '../../core/exchange.ts';
import { Failure, toFailure } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import type { DeadLetter } from '../dead-letter.ts';
import type { DeadLetters, FoundLetter } from './dead-letters.ts';
import type { Definition } from './definition.ts';
import type { DeadLetterDesk, Replay, SummaryPage, Which } from './desk.ts';
import { holding } from './holding.ts';
import type { Query } from './query.ts';
import { noLetter, notReplayable } from './refusals.ts';
import type { Replayed } from './replayed.ts';
import { detailOf, type LetterDetail, largestShown, summaryOf } from './views.ts';

/** The way into a flow that is open. */
export interface Route {
  readonly deliver: (message: Replayed) => Promise<Exchange | undefined>;
  /** Of the flow behind it. */
  readonly definition: Definition;
  readonly version: string | undefined;
  /** Takes what must never be printed out of a text. */
  readonly clean: (text: string) => string;
  release(): Promise<void>;
}

export interface ReplayWorld {
  readonly store: Store;
  readonly letters: DeadLetters;
  readonly services: Pick<Services, 'clock' | 'log' | 'codec'>;
  /** Opens the way of a letter; rejects with `not-replayable` when there is none. */
  readonly route: (found: FoundLetter, which: Which) => Promise<Route>;
}

/** The desk of a process that has the store. */
export class Replays implements DeadLetterDesk {
  readonly #world: ReplayWorld;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(world: ReplayWorld) {
    this.#world = world;
  }

  async list(query: Query): Promise<SummaryPage> {
    const { letters, next } = await this.#world.letters.list(query);
    return { letters: letters.map(summaryOf), next };
  }

  async show(id: string): Promise<LetterDetail> {
    const found = await this.#found(id);
    return detailOf(found, found.size > largestShown ? undefined : await this.#world.letters.body(found));
  }

  async body(id: string): Promise<Uint8Array> {
    return this.#world.letters.body(await this.#found(id));
  }

  replay(id: string, which: Which): Promise<Replay> {
    return this.#tracked(this.#holding(id, () => this.#replay(id, which)));
  }

  discard(id: string, why: string): Promise<void> {
    return this.#tracked(this.#holding(id, () => this.#discard(id, why)));
  }

  /** Resolves when nothing is under way any more, or after `ms`. */
  async settled(ms: number): Promise<void> {
    const { clock } = this.#world.services;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(ms, resolve);
      void Promise.allSettled(this.#underWay).then(() => {
        cancel();
        resolve();
      });
    });
  }

  #tracked<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const done = (): void => void this.#underWay.delete(work);
    work.then(done, done);
    return work;
  }

  #holding<T>(id: string, work: () => Promise<T>): Promise<T> {
    return holding(this.#world.store, this.#world.services, id, work);
  }

  async #found(id: string): Promise<FoundLetter> {
    const found = await this.#world.letters.get(id);
    if (!found) throw noLetter(id);
    return found;
  }

  async #discard(id: string, reason: string): Promise<void> {
    const found = await this.#found(id);
    if (!(await this.#world.letters.remove(found))) throw noLetter(id);
    this.#world.services.log.warn('a dead letter was discarded', { ...factsOf(found), reason });
  }

  async #replay(id: string, which: Which): Promise<Replay> {
    const { letters, services, route: open } = this.#world;
    const found = await this.#found(id);
    if (found.letter.type === 'undo') {
      const what = 'it is a compensation that failed. Undo by hand what `detail` and the body name, then discard it';
      throw notReplayable(id, what);
    }
    const body = await letters.body(found);
    const route = await open(found, which);
    let again: DeadLetter | undefined;
    const keep = async (letter: DeadLetter): Promise<void> => {
      const { attempts, receivedAt, headers, source, params, query, identity, contentType, traceId } = found.letter;
      const same = { receivedAt, headers, source, params, query, identity, contentType, traceId };
      const kept = { ...letter, ...same, id: found.letter.id, attempts: attempts + letter.attempts };
      await letters.keep(kept, body, route.definition);
      again = kept;
    };
    try {
      services.log.info('a dead letter is replayed', { ...factsOf(found), with: which });
      const answer = await route.deliver(messageOf(found, body, { keep })).catch(toFailure);
      if (answer instanceof Failure) await this.#failed(answer, found, route, keep);
      else answer?.body.discard();
      if (again) return { outcome: 'failed', id, letter: summaryOf({ id, letter: again, size: found.size }) };
      await this.#done(found);
      return { outcome: 'done', id };
    } finally {
      await route.release();
    }
  }

  /** The flow gave it back: where nothing was begun, or the process stops, the letter stays as it is. */
  async #failed(
    error: Failure,
    { letter }: FoundLetter,
    { version, clean }: Route,
    keep: (letter: DeadLetter) => Promise<void>,
  ): Promise<void> {
    const { kind, code, place, outcome, message } = error;
    if (kind === 'cancelled' || (kind === 'rejected' && outcome === 'none')) throw error;
    const failedAt = this.#world.services.clock.now();
    await keep({ ...letter, version, place, code, kind, detail: clean(message), attempts: 1, failedAt });
  }

  async #done(found: FoundLetter): Promise<void> {
    const { letters, services } = this.#world;
    try {
      if (await letters.remove(found)) services.log.info('a dead letter was replayed', factsOf(found));
      else services.log.warn('a dead letter was replayed, and meanwhile kept again: look at it', factsOf(found));
    } catch (thrown) {
      const detail = toFailure(thrown).message;
      services.log.error('a dead letter was replayed and could not be removed: discard it', {
        ...factsOf(found),
        detail,
      });
      throw thrown;
    }
  }
}

/** The message as it came, as a new one under its own id. */
function messageOf({ id, letter }: FoundLetter, body: Uint8Array, replay: Replayed['replay']): Replayed {
  const { headers, contentType, source, params, query, identity, receivedAt } = letter;
  return {
    id,
    headers,
    body: body.byteLength === 0 ? Body.empty : Body.bytes(body, contentType),
    origin: {
      ...(source ? { source } : {}),
      ...(params ? { params } : {}),
      ...(query ? { query } : {}),
      ...(identity ? { identity } : {}),
      receivedAt,
      attempt: 1,
      replayed: true,
    },
    replay,
  };
}

const factsOf = ({ id, letter }: FoundLetter): Readonly<Record<string, unknown>> => ({
  letter: id,
  flow: letter.flow,
  exchange: letter.id,
  code: letter.code,
  attempts: letter.attempts,
});
