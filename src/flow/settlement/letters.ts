import { Exchange, type Services } from '../../core/exchange.ts';
import { Life } from '../../core/life.ts';
import { keptBody } from '../../core/record.ts';
import { Refrain, type RefrainLine } from '../../core/refrain.ts';
import type { Trace } from '../../core/trace.ts';
import { type Failure, failure, type Kind, toFailure } from '../../errors.ts';
import { merged } from '../../steps/parts/headers.ts';
import type { DeadLetter, DeadLetterKeeper } from '../dead-letter.ts';
import type { Replayed } from '../dead-letters/replayed.ts';
import type { InFlight } from '../in-flight.ts';
import { watchedLetter } from '../watch/letter-span.ts';
import { keptHeaders, letterHeaders } from './letter-headers.ts';
import type { DeadLetterProgram } from './program.ts';

/** How long one try to put a dead letter away may take. */
const putMs = 60_000;

/** What does not pass: the same letter would meet it for ever, and hold up what stands behind it. */
const lasting: ReadonlySet<Kind> = new Set(['permanent', 'definition', 'bug']);

const instead: RefrainLine = {
  level: 'error',
  message: 'a dead letter cannot be sent as the file says: it goes to the store',
};

export interface LettersWorld {
  readonly services: Services;
  readonly inFlight: InFlight;
  readonly integration: { readonly name: string; readonly version: string | undefined };
  /** Takes out of a text what must never be printed. */
  readonly clean: (text: string) => string;
  readonly definitionHash: string | undefined;
  /** Where letters go that the flow sends nowhere; opened at the first one. */
  readonly keeper: () => Promise<DeadLetterKeeper>;
}

/** A message that was given up. */
export interface Dead {
  readonly id: string;
  readonly incoming: Replayed;
  readonly trace: Trace;
  /** As they came in. */
  readonly bytes: Uint8Array | string;
  readonly contentType: string | undefined;
  readonly error: Failure;
  readonly attempts: number;
}

interface Trouble {
  /** In milliseconds since 1970. */
  readonly since: number;
  readonly code: string;
  readonly detail: string;
}

/** Messages that failed for good, and wait unacknowledged, as nobody takes their dead letters. */
export interface HeldUp {
  readonly messages: number;
  /** When it began. */
  readonly since: string;
  readonly to: string;
  readonly code: string;
  readonly detail: string;
}

/** The Dead Letter Channel (EIP) of one flow: an endpoint of the file, or the store. */
export class Letters {
  readonly #flow: string;
  readonly #program: DeadLetterProgram | undefined;
  readonly #world: LettersWorld;
  /** Messages whose letters are not safe yet. */
  readonly #stuck = new Set<string>();
  /** Why; each was said once. */
  readonly #reasons = new Set<string>();
  readonly #instead: Refrain;
  #trouble: Trouble | undefined;

  constructor(flow: string, program: DeadLetterProgram | undefined, world: LettersWorld) {
    this.#flow = flow;
    this.#program = program;
    this.#world = world;
    this.#instead = new Refrain(instead, world.services);
  }

  /** Resolves with where the letter is safe. Rejects when it is not: the message must not be acknowledged. */
  async put(given: Dead): Promise<string> {
    const { services, inFlight } = this.#world;
    const { clock, log, tracer } = services;
    const watched = watchedLetter(tracer, this.#flow, given);
    const { dead } = watched;
    const since = clock.monotonic();
    const late = (): Failure => failure('timeout', { what: 'The dead letter', ms: putMs });
    const life = new Life(clock, { deadline: since + putMs, late });
    const message = { place: -1, id: dead.id, flow: this.#flow, since, life, trace: dead.trace };
    inFlight.add(message);
    try {
      const where = await this.#put(dead, life);
      this.#stuck.delete(dead.id);
      if (this.#trouble) log.info('dead letters can be kept again', { flow: this.#flow, where });
      this.#trouble = undefined;
      this.#reasons.clear();
      watched.ended();
      return where;
    } catch (thrown) {
      const error = toFailure(thrown);
      this.#tell(error, dead);
      watched.ended(error);
      throw error;
    } finally {
      life.discard();
      life.end();
      inFlight.delete(message);
    }
  }

  /** What a person has to see to; `undefined` = every letter is safe. */
  get heldUp(): HeldUp | undefined {
    if (!this.#trouble) return undefined;
    const { since, code, detail } = this.#trouble;
    const to = this.#program?.endpoint ?? 'the store';
    return { messages: this.#stuck.size, since: new Date(since).toISOString(), to, code, detail };
  }

  async #put(dead: Dead, life: Life): Promise<string> {
    const letter = this.#letter(dead);
    const { replay } = dead.incoming;
    const program = replay ? undefined : this.#program;
    if (program && (await this.#sent(program, letter, dead, life))) return program.endpoint;
    const keep = async (): Promise<void> => (replay ?? (await this.#world.keeper())).keep(letter, asBytes(dead.bytes));
    await life.race(keep());
    return 'the store';
  }

  /** `false` where this message cannot be sent as the file says, to whomever: trying again would not help. */
  async #sent(program: DeadLetterProgram, letter: DeadLetter, dead: Dead, life: Life): Promise<boolean> {
    const built = await this.#built(program, letter, dead, life);
    if (!built) return false;
    try {
      const answer = await program.send(built);
      answer?.body.discard();
      return true;
    } catch (thrown) {
      const error = toFailure(thrown);
      if (life.aborted || !lasting.has(error.kind)) throw error;
      this.#tellInstead(error, dead);
      return false;
    }
  }

  /** What is sent; `undefined` where the file's own words for it fail with this message. */
  async #built(program: DeadLetterProgram, letter: DeadLetter, dead: Dead, life: Life): Promise<Exchange | undefined> {
    const { services } = this.#world;
    const { origin, headers } = dead.incoming;
    const exchange = Exchange.create({
      id: dead.id,
      flow: this.#flow,
      services,
      life,
      trace: dead.trace,
      origin: { ...origin, attempt: dead.attempts },
      body: keptBody(asBytes(dead.bytes), dead.contentType),
      headers,
    }).with({ error: dead.error, ownHeaders: merged(letter.headers, letterHeaders(letter)) });
    try {
      return await program.build(exchange);
    } catch (thrown) {
      const error = toFailure(thrown);
      if (life.aborted) throw error;
      this.#tellInstead(error, dead);
      return undefined;
    }
  }

  #tellInstead({ code, message }: Failure, { id, trace }: Dead): void {
    this.#instead.again(code, { flow: this.#flow, code }, { exchange: id, traceId: trace.id, detail: message });
  }

  #letter({ id, incoming, trace, contentType, error, attempts }: Dead): DeadLetter {
    const { services, integration, clean, definitionHash } = this.#world;
    const { headers, origin } = incoming;
    return {
      id,
      type: 'message',
      integration: integration.name,
      version: integration.version,
      flow: this.#flow,
      place: error.place,
      code: error.code,
      kind: error.kind,
      detail: clean(error.message),
      attempts,
      receivedAt: origin.receivedAt,
      failedAt: services.clock.now(),
      traceId: trace.id,
      headers: keptHeaders(headers),
      source: origin.source,
      params: origin.params,
      query: origin.query,
      identity: origin.identity,
      contentType,
      definitionHash,
    };
  }

  /** Once for each reason: it may last, and concern many. */
  #tell(error: Failure, { id, trace }: Dead): void {
    if (error.kind === 'cancelled') return;
    const { services, clean } = this.#world;
    const { code, message } = error;
    this.#stuck.add(id);
    this.#trouble = { since: this.#trouble?.since ?? services.clock.now(), code, detail: clean(message) };
    if (this.#reasons.has(code)) return;
    this.#reasons.add(code);
    this.#world.services.log.error('a dead letter could not be kept: its message stays unacknowledged', {
      flow: this.#flow,
      exchange: id,
      traceId: trace.id,
      to: this.#program?.endpoint ?? 'the store',
      code,
      detail: message,
    });
  }
}

const asBytes = (bytes: Uint8Array | string): Uint8Array => (typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
