import type { Body } from '../../core/body.ts';
import type { Exchange } from '../../core/exchange.ts';
import { Life } from '../../core/life.ts';
import { keptBody } from '../../core/record.ts';
import { Trace } from '../../core/trace.ts';
import type { RedeliverySource } from '../../core/written.ts';
import { Failure, failure, toFailure } from '../../errors.ts';
import type { Incoming } from '../../sdk.ts';
import type { Replayed } from '../dead-letters/replayed.ts';
import type { IntakeJournal } from '../intake.ts';
import type { FlowProgram } from '../program.ts';
import type { LeftRun, Run } from '../runs.ts';
import { type Counts, Tally } from './counts.ts';
import type { Turn } from './lanes.ts';
import { type HeldUp, Letters, type LettersWorld } from './letters.ts';
import { Order } from './order.ts';
import { defaultRedelivery, deliveriesBefore, fateOf, pauseBefore, postponedFrom } from './redelivery.ts';
import { Voice } from './voice.ts';

export interface SettlementWorld extends LettersWorld {
  /** Runs the flow once over a message. */
  readonly run: (message: Incoming, id: string) => Promise<Exchange | undefined>;
  /** Of a durable flow. */
  readonly journal: IntakeJournal | undefined;
  /** The source can leave a message with the far side for a while. */
  readonly postpones: boolean;
  /** `attempt` counts what was handed over, begun or not. */
  readonly countsDeliveries: boolean;
}

/** How a message runs that is in the journal alone. */
interface OwnRun {
  readonly journal: IntakeJournal;
  readonly run: Run;
}

/** A message that its source has handed over and waits for. */
interface Taken {
  readonly id: string;
  readonly incoming: Replayed;
  readonly trace: Trace;
  readonly bytes: Uint8Array | string;
  readonly contentType: string | undefined;
  /** Why there are no bytes. */
  readonly unreadable: Failure | undefined;
}

/**
 * What becomes of messages that wait at the far side until they are acknowledged: each waits for its turn, runs, and
 * where it fails is tried again, left to the far side, or moved to the dead letters. It is acknowledged only when it was
 * done or is safe there; so nothing is lost, whatever happens in between.
 */
export class Settlement {
  readonly #tally: Tally;
  readonly #flow: FlowProgram;
  readonly #world: SettlementWorld;
  readonly #redelivery: RedeliverySource;
  readonly #order: Order;
  readonly #letters: Letters;
  /** Ends when nothing new begins any more. */
  readonly #life: Life;
  readonly #voice: Voice;

  constructor(flow: FlowProgram, world: SettlementWorld) {
    this.#flow = flow;
    this.#world = world;
    this.#redelivery = flow.source.redelivery ?? defaultRedelivery;
    this.#order = new Order(flow, world.services);
    this.#tally = new Tally(flow.name, world.services.meter);
    this.#letters = new Letters(flow.name, flow.settlement?.deadLetter, world);
    this.#life = new Life(world.services.clock);
    this.#voice = new Voice(flow.name, world.services);
    const help = 'Messages that failed for good and wait, as nobody takes their dead letters.';
    world.services.meter.gauge('dowel_messages_held_up', help, { flow: flow.name }, () => this.heldUp?.messages ?? 0);
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#order.waiting;
  }

  /** How many its source has handed over, and waits for. */
  get unsettled(): number {
    return this.#tally.open;
  }

  /** Messages that wait for their dead letters to be kept; `undefined`: none does. */
  get heldUp(): HeldUp | undefined {
    return this.#letters.heldUp;
  }

  get counts(): Readonly<Counts> {
    return this.#tally.counts;
  }

  /** One function for the whole way: each async function around another costs a promise for every message. */
  readonly deliver = async (incoming: Replayed): Promise<Exchange | undefined> => {
    this.#tally.opened();
    let turn: Turn | undefined;
    try {
      this.#life.check();
      const id = incoming.id ?? this.#world.services.random.uuid();
      const entered = this.#order.enter(incoming, id);
      const place = entered instanceof Promise ? await this.#turnOf(entered) : entered;
      if (!(place instanceof Failure)) turn = place;
      const taken = this.#taken(incoming, id);
      const message = taken instanceof Promise ? await taken : taken;
      if (place instanceof Failure) return await this.#buried(message, place, incoming.origin.attempt, undefined);
      const { journal } = this.#world;
      if (!journal || incoming.key !== undefined || incoming.replay) return await this.#worked(message, place);
      turn = undefined; // it goes on with its turn, alone
      return await this.#handedOver(message, place, journal);
    } catch (thrown) {
      const error = toFailure(thrown);
      if (error.code !== 'postponed') this.#tally.add('released');
      if (error.kind !== 'cancelled') this.#voice.say('unsettled', error, { detail: error.message });
      throw error;
    } finally {
      turn?.leave();
      this.#tally.closed();
    }
  };

  /** Whatever waits goes back to the source at once; what runs goes on. */
  stop(): void {
    const reason = stopping();
    this.#order.close(reason);
    this.#life.abort(reason);
    this.#voice.close();
  }

  /** The turn, or why there is none for this message. Throws when nothing begins any more. */
  async #turnOf(entered: Promise<Turn>): Promise<Turn | Failure> {
    try {
      return await entered;
    } catch (thrown) {
      if (this.#life.aborted) throw stopping();
      return toFailure(thrown);
    }
  }

  /**
   * Resolves as soon as the message is in the journal, and goes on from there: were it given again after a crash, nobody
   * would know it again.
   */
  async #handedOver(message: Taken, turn: Turn, journal: IntakeJournal): Promise<undefined> {
    await new Promise<void>((safe, failed) => {
      void this.#alone(message.id, journal, async () => {
        try {
          const run = await this.#begun(message, turn, journal);
          safe();
          return run && (await this.#worked(message, turn, { journal, run }));
        } catch (thrown) {
          failed(thrown);
          throw thrown;
        } finally {
          turn.leave();
        }
      });
    });
    return undefined;
  }

  /** `undefined`: the journal does not take it, and it is safe with the dead letters. */
  async #begun(message: Taken, turn: Turn, journal: IntakeJournal): Promise<Run | undefined> {
    const { id, incoming } = message;
    try {
      return await this.#insist(() => journal.begin(incoming, id));
    } catch (thrown) {
      const error = toFailure(thrown);
      if (error.kind === 'cancelled') throw error;
      return this.#buried(message, error, incoming.origin.attempt, turn);
    }
  }

  /** A message that was ours when a process ended goes on. Never rejects. */
  async resume(left: LeftRun): Promise<void> {
    const { journal } = this.#world;
    if (journal) await this.#alone(left.record.id, journal, () => this.#resumed(left, journal));
  }

  async #resumed(left: LeftRun, journal: IntakeJournal): Promise<Exchange | undefined> {
    const { id, headers, origin, resumed = 0 } = left.record;
    const incoming = { headers, origin, body: left.body };
    const message = await this.#taken(incoming, id);
    const turn = await this.#turnOf(Promise.resolve(this.#order.enter(incoming, id)));
    if (turn instanceof Failure) {
      return this.#buried(message, turn, origin.attempt, undefined, left);
    }
    try {
      const begun = resumed + 1;
      if (begun >= this.#redelivery.maxAttempts) {
        return await this.#buried(message, interrupted(begun), begun, turn, left);
      }
      const named = { flow: this.#flow.name, exchange: id, traceId: message.trace.id };
      this.#world.services.log.info('a message that was under way goes on', named);
      await this.#insist(() => left.resumed());
      return await this.#worked(message, turn, { journal, run: left });
    } finally {
      turn.leave();
    }
  }

  /** For a message that is in the journal alone: what stops before its end goes on at the next start. Never rejects. */
  async #alone(id: string, journal: IntakeJournal, work: () => Promise<Exchange | undefined>): Promise<void> {
    try {
      await journal.once(id, work);
    } catch (thrown) {
      const error = toFailure(thrown);
      if (error.kind === 'cancelled') return;
      const fields = { flow: this.#flow.name, exchange: id, code: error.code, detail: error.message };
      this.#world.services.log.error('a message waits in the journal for the next start', fields);
    }
  }

  #taken(incoming: Replayed, id: string): Taken | Promise<Taken> {
    const { codec, random } = this.#world.services;
    const { body, headers } = incoming;
    const trace = new Trace(id, headers, random);
    const contentType = body.wireType(codec);
    const read = (bytes: Uint8Array | string): Taken => ({
      id,
      incoming,
      trace,
      contentType,
      bytes,
      unreadable: undefined,
    });
    const unread = (thrown: unknown): Taken => ({ ...read(''), unreadable: toFailure(thrown) });
    try {
      const bytes = body.bytes(codec);
      return bytes instanceof Promise ? bytes.then(read).catch(unread) : read(bytes);
    } catch (thrown) {
      return unread(thrown);
    }
  }

  /** `own`: of a message that is ours alone. */
  async #worked(message: Taken, turn: Turn, own?: OwnRun): Promise<Exchange | undefined> {
    const { maxAttempts } = this.#redelivery;
    let { attempt } = message.incoming.origin;
    if (message.unreadable) return this.#buried(message, message.unreadable, attempt, turn, own?.run);
    const deadly = this.#world.countsDeliveries ? deliveriesBefore(maxAttempts) : maxAttempts;
    if (attempt > deadly) return this.#buried(message, interrupted(attempt - 1), attempt - 1, turn, own?.run);
    let body = message.incoming.body.isValue ? bodyOf(message) : message.incoming.body;
    for (let held = 0, mine = own; ; body = bodyOf(message)) {
      const tried = await this.#tried(message, body, attempt, mine);
      if (!(tried instanceof Failure)) {
        this.#tally.add('delivered');
        this.#voice.well();
        return tried;
      }
      const state = { error: tried, attempt, held, stopping: this.#life.aborted };
      const fate = fateOf(state, this.#redelivery, this.#world.services.random);
      if (fate.is === 'released') throw tried.kind === 'cancelled' ? tried : stopping();
      if (fate.is === 'dead') return this.#buried(message, tried, attempt, turn, mine?.run);
      if (fate.is === 'held') held++;
      else attempt++;
      const { run } = mine ?? {};
      if (mine && run) mine = { ...mine, run: await this.#insist(() => run.again(attempt)) };
      if (fate.is === 'held') await this.#hold(message, tried, fate.ms);
      else await this.#redeliver(message, tried, attempt, fate.ms, turn, mine !== undefined);
    }
  }

  /** What the flow ended with, or why it failed. */
  #tried(
    { id, incoming }: Taken,
    body: Body,
    attempt: number,
    own: OwnRun | undefined,
  ): Promise<Exchange | undefined | Failure> {
    let life: Life | undefined;
    const onStart: Incoming['onStart'] = (own, at) => {
      life = own;
      incoming.onStart?.(own, at);
    };
    const origin = attempt === incoming.origin.attempt ? incoming.origin : { ...incoming.origin, attempt };
    const message = { ...incoming, body, origin, onStart };
    const run = own ? own.journal.run(own.run, message) : this.#world.run(message, id);
    return run.catch((thrown: unknown) => {
      const error = toFailure(thrown);
      return life ? reasonOf(life, error) : error;
    });
  }

  /** Full, or open, or over its limit: what comes behind would meet the same, so the turn is kept. */
  async #hold({ id, trace }: Taken, error: Failure, ms: number): Promise<void> {
    this.#tally.add('held');
    this.#voice.say('held', error, { exchange: id, traceId: trace.id, ms, detail: error.message });
    await this.#wait(ms);
  }

  async #redeliver(
    { id, trace, incoming }: Taken,
    error: Failure,
    attempt: number,
    ms: number,
    turn: Turn,
    own: boolean,
  ): Promise<void> {
    const { kind, outcome, message: detail } = error;
    this.#tally.add('redelivered');
    this.#voice.say('redelivered', error, { exchange: id, traceId: trace.id, kind, outcome, attempt, ms, detail });
    if (this.#world.postpones && !this.#order.isLaned(incoming) && !own && !incoming.replay && ms >= postponedFrom) {
      this.#tally.add('postponed');
      throw failure('postponed', { ms, attempt });
    }
    // The source bounds how many it hands over and waits for. It does not wait for this one: its place does that.
    if (own) return this.#wait(ms);
    turn.pause();
    await this.#wait(ms);
    await turn.resume();
  }

  /** Resolves when the message is safe with the dead letters: then it may be acknowledged. */
  async #buried(
    message: Taken,
    error: Failure,
    attempts: number,
    turn: Turn | undefined,
    run?: Run,
  ): Promise<undefined> {
    const { services } = this.#world;
    for (let tries = 1; ; tries++) {
      const where = await this.#letters.put({ ...message, error, attempts }).catch(toFailure);
      if (typeof where === 'string') {
        this.#tally.add('deadLettered');
        const { kind, message: detail } = error;
        const named = { exchange: message.id, traceId: message.trace.id };
        this.#voice.say('dead', error, { ...named, kind, attempts, to: where, detail });
        if (run) await this.#insist(() => run.end());
        return undefined;
      }
      this.#tally.add('deadLetterFailures');
      this.#life.check();
      if (!run) turn?.pause();
      await this.#wait(pauseBefore(where, tries, defaultRedelivery, services.random));
      if (!run) await turn?.resume();
    }
  }

  /** Does what must be done before anything else can be: again and again, until nothing new begins any more. */
  async #insist<T>(work: () => Promise<T>): Promise<T> {
    const { log, random } = this.#world.services;
    for (let tries = 1; ; tries++) {
      try {
        return await work();
      } catch (thrown) {
        const error = toFailure(thrown);
        if (error.kind === 'cancelled' || error.kind === 'permanent' || error.kind === 'bug') throw error;
        const fields = { flow: this.#flow.name, code: error.code, detail: error.message };
        if (tries === 1) log.error('the journal cannot be written: messages wait', fields);
        this.#life.check();
        await this.#wait(pauseBefore(error, tries, defaultRedelivery, random));
      }
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

/** Each further attempt reads it anew: what one made of the value is not seen by the next. */
const bodyOf = ({ bytes, contentType }: Taken): Body =>
  keptBody(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, contentType);

const stopping = (): Failure => failure('stopping', {}, { kind: 'cancelled' });

const interrupted = (attempts: number): Failure => failure('interrupted', { attempts });

/** Where the message was cut off, that is why: what its steps made of it follows from it. */
function reasonOf(life: Life, error: Failure): Failure {
  try {
    life.check();
    return error;
  } catch (thrown) {
    const reason = toFailure(thrown);
    return reason.kind === 'cancelled' ? reason : error;
  }
}
