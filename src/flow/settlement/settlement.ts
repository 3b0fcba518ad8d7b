import { type Exchange, Exchange as Message } from '../../core/exchange.ts';
import { Life } from '../../core/life.ts';
import { keptBody } from '../../core/record.ts';
import type { RedeliverySource } from '../../core/written.ts';
import { customFailure, Failure, failure, toFailure } from '../../errors.ts';
import type { Incoming } from '../../sdk.ts';
import { keyText } from '../../steps/parts/key.ts';
import type { Replayed } from '../dead-letters/replayed.ts';
import type { FlowProgram } from '../program.ts';
import { type Counts, noCounts } from './counts.ts';
import { Lanes, type Turn } from './lanes.ts';
import { Letters, type LettersWorld } from './letters.ts';
import { defaultRedelivery, fateOf, pauseBefore, postponedFrom } from './redelivery.ts';

export interface SettlementWorld extends LettersWorld {
  /** Runs the flow once over a message. */
  readonly run: (message: Incoming, id: string) => Promise<Exchange | undefined>;
  /** The source can leave a message with the far side for a while. */
  readonly postpones: boolean;
}

/** A message that its source has handed over and waits for. */
interface Taken {
  readonly id: string;
  readonly incoming: Replayed;
  readonly bytes: Uint8Array | string;
  readonly contentType: string | undefined;
}

/** How many messages of a flow are worked on at once where it says nothing: in order, one after the other. */
const defaultConcurrency = 1;

/**
 * What becomes of messages that wait at the far side until they are acknowledged: each waits for its turn, runs, and
 * where it fails is tried again, left to the far side, or moved to the dead letters. It is acknowledged only when it was
 * done or is safe there; so nothing is lost, whatever happens in between.
 */
export class Settlement {
  readonly counts: Counts = noCounts();
  readonly #flow: FlowProgram;
  readonly #world: SettlementWorld;
  readonly #redelivery: RedeliverySource;
  readonly #lanes: Lanes;
  readonly #letters: Letters;
  /** Ends when nothing new begins any more. */
  readonly #life: Life;
  /** Messages take their places in the order in which they came, however long their keys take. */
  #placed: Promise<unknown> = Promise.resolve();
  /** Why messages are held back at the moment. */
  #busy: string | undefined;

  constructor(flow: FlowProgram, world: SettlementWorld) {
    this.#flow = flow;
    this.#world = world;
    this.#redelivery = flow.source.redelivery ?? defaultRedelivery;
    this.#lanes = new Lanes(flow.source.concurrency ?? defaultConcurrency);
    this.#letters = new Letters(flow.name, flow.settlement?.deadLetter, world);
    this.#life = new Life(world.services.clock);
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#lanes.waiting;
  }

  readonly deliver = async (incoming: Replayed): Promise<Exchange | undefined> => {
    this.counts.received++;
    try {
      return await this.#settled(incoming);
    } catch (thrown) {
      const error = toFailure(thrown);
      if (error.code !== 'postponed') this.counts.released++;
      throw error;
    }
  };

  /** Whatever waits goes back to the source at once; what runs goes on. */
  stop(): void {
    const reason = stopping();
    this.#lanes.close(reason);
    this.#life.abort(reason);
  }

  async #settled(incoming: Replayed): Promise<Exchange | undefined> {
    this.#life.check();
    const id = incoming.id ?? this.#world.services.random.uuid();
    let turn: Turn;
    try {
      turn = await this.#turn(incoming, id);
    } catch (thrown) {
      if (this.#life.aborted) throw stopping();
      return this.#buried(await this.#taken(incoming, id), toFailure(thrown), incoming.origin.attempt, undefined);
    }
    try {
      return await this.#worked(await this.#taken(incoming, id), turn);
    } finally {
      turn.leave();
    }
  }

  async #taken(incoming: Replayed, id: string): Promise<Taken> {
    const { codec } = this.#world.services;
    const bytes = await incoming.body.bytes(codec);
    return { id, incoming, bytes, contentType: incoming.body.wireType(codec) };
  }

  #turn(incoming: Incoming, id: string): Promise<Turn> {
    const orderBy = this.#flow.settlement?.orderBy;
    if (!orderBy) return this.#lanes.enter(incoming.lane);
    const key = this.#key(incoming, id, orderBy);
    const place = async (before: Promise<unknown>): Promise<{ readonly turn: Promise<Turn> }> => {
      const [lane] = await Promise.all([key, before]);
      return { turn: this.#lanes.enter(lane) };
    };
    const placed = place(this.#placed);
    this.#placed = placed.catch(() => undefined);
    return placed.then(({ turn }) => turn);
  }

  async #key(
    { body, headers, origin }: Incoming,
    id: string,
    orderBy: (exchange: Exchange) => unknown,
  ): Promise<string> {
    const { services } = this.#world;
    const { name, source } = this.#flow;
    const life = new Life(services.clock);
    try {
      const key = keyText(await orderBy(Message.create({ id, flow: name, services, life, origin, body, headers })));
      if (key === undefined) throw failure('no-key', { expression: source.orderBy?.text });
      return key;
    } catch (thrown) {
      const error = toFailure(thrown);
      error.place ??= `${name}/orderBy`;
      throw error;
    } finally {
      life.end();
    }
  }

  async #worked(message: Taken, turn: Turn): Promise<Exchange | undefined> {
    const { maxAttempts } = this.#redelivery;
    let { attempt } = message.incoming.origin;
    if (attempt > maxAttempts) return this.#buried(message, interrupted(attempt - 1), attempt - 1, turn);
    for (let held = 0; ; ) {
      const tried = await this.#tried(message, attempt);
      if (!(tried instanceof Failure)) {
        this.counts.delivered++;
        this.#busy = undefined;
        return tried;
      }
      const state = { error: tried, attempt, held, stopping: this.#life.aborted };
      const fate = fateOf(state, this.#redelivery, this.#world.services.random);
      if (fate.is === 'released') throw tried.kind === 'cancelled' ? tried : stopping();
      if (fate.is === 'dead') return this.#buried(message, tried, attempt, turn);
      if (fate.is === 'held') {
        held++;
        await this.#hold(message, tried, fate.ms);
      } else {
        attempt++;
        await this.#redeliver(message, tried, attempt, fate.ms, turn);
      }
    }
  }

  /** What the flow ended with, or why it failed. */
  async #tried({ id, incoming, bytes, contentType }: Taken, attempt: number): Promise<Exchange | undefined | Failure> {
    let life: Life | undefined;
    // Each attempt reads it anew: what one made of the value is not seen by the next.
    const body = keptBody(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, contentType);
    const onStart: Incoming['onStart'] = (own, at) => {
      life = own;
      incoming.onStart?.(own, at);
    };
    try {
      return await this.#world.run({ ...incoming, body, origin: { ...incoming.origin, attempt }, onStart }, id);
    } catch (thrown) {
      const error = toFailure(thrown);
      return life ? reasonOf(life, error) : error;
    }
  }

  /** Full, or open, or over its limit: what comes behind would meet the same, so the turn is kept. */
  async #hold({ id }: Taken, { code, place, message }: Failure, ms: number): Promise<void> {
    const { log } = this.#world.services;
    this.counts.held++;
    const fields = { flow: this.#flow.name, exchange: id, code, place, ms, detail: message };
    if (this.#busy === code) log.debug('a message waits for what is busy', fields);
    else log.warn('messages wait for what is busy', fields);
    this.#busy = code;
    await this.#wait(ms);
  }

  async #redeliver({ id, incoming }: Taken, error: Failure, attempt: number, ms: number, turn: Turn): Promise<void> {
    const { code, kind, place, outcome, message: detail } = error;
    this.counts.redelivered++;
    this.#world.services.log.warn('a message will be redelivered', {
      flow: this.#flow.name,
      exchange: id,
      code,
      kind,
      place,
      outcome,
      attempt,
      ms,
      detail,
    });
    const laned = incoming.lane !== undefined || this.#flow.settlement?.orderBy !== undefined;
    if (this.#world.postpones && !laned && !incoming.replay && ms >= postponedFrom) {
      this.counts.postponed++;
      throw failure('postponed', { ms, attempt });
    }
    turn.pause();
    await this.#wait(ms);
    await turn.resume();
  }

  /** Resolves when the message is safe with the dead letters: then it may be acknowledged. */
  async #buried(message: Taken, error: Failure, attempts: number, turn: Turn | undefined): Promise<undefined> {
    const { services } = this.#world;
    for (let tries = 1; ; tries++) {
      const where = await this.#letters.put({ ...message, error, attempts }).catch(toFailure);
      if (typeof where === 'string') {
        this.counts.deadLettered++;
        const { code, kind, place, message: detail } = error;
        const facts = { flow: this.#flow.name, exchange: message.id, code, kind, place, attempts, to: where, detail };
        services.log.error('a message was moved to the dead letters', facts);
        return undefined;
      }
      this.counts.deadLetterFailures++;
      this.#life.check();
      turn?.pause();
      await this.#wait(pauseBefore(where, tries, defaultRedelivery, services.random));
      await turn?.resume();
    }
  }

  /** Rejects when nothing new begins any more. */
  #wait(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let cancel = (): void => {};
      const leave = this.#life.onAbort((reason) => {
        cancel();
        reject(reason);
      });
      if (this.#life.aborted) return;
      cancel = this.#world.services.clock.after(ms, () => {
        leave();
        resolve();
      });
    });
  }
}

const stopping = (): Failure => failure('stopping', {}, { kind: 'cancelled' });

const interrupted = (attempts: number): Failure =>
  customFailure(
    'interrupted',
    'permanent',
    500,
    `It was begun ${attempts} times and never finished: the process, or its connection, ended meanwhile`,
  );

/** Where the message was given up, that is why: what its steps made of it follows from it. */
function reasonOf(life: Life, error: Failure): Failure {
  if (error.kind === 'transient' || error.kind === 'cancelled') return error;
  try {
    life.check();
    return error;
  } catch (thrown) {
    return toFailure(thrown);
  }
}
