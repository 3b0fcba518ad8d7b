import { Exchange, type Services } from '../core/exchange.ts';
import { Life } from '../core/life.ts';
import { Trace } from '../core/trace.ts';
import { type Failure, failure, toFailure } from '../errors.ts';
import type { Deliver, Incoming } from '../sdk.ts';
import type { Replayed } from './dead-letters/replayed.ts';
import type { InFlight, Message } from './in-flight.ts';
import { messageMeter } from './metered.ts';
import type { FlowProgram } from './program.ts';
import type { LeftRun, Run, Runs } from './runs.ts';
import type { MessageWatch } from './watch/message-watch.ts';

/** How long a message whose sender waits may take where the flow says nothing else. */
const defaultDeadline = 60_000;
/** How many messages whose senders wait are under way in one flow where it says nothing else. */
const defaultConcurrency = 1000;

/** When a caller who met a paused flow may ask again: a person has paused it, and nobody knows. Milliseconds. */
const pausedMs = 30_000;

export const waitsForVersion = 'a message waits for the version of the definition that it began with';

export interface IntakeWorld {
  readonly services: Services;
  readonly inFlight: InFlight;
  /** Whether senders wait for an answer. */
  readonly awaited: boolean;
  /** Told of every message; absent: nobody is. */
  readonly watch?: MessageWatch | undefined;
  /** Of a durable flow: where its messages are kept, and which definition they belong to. */
  readonly durable?: { readonly runs: Runs; readonly hash: string } | undefined;
}

export interface Intake {
  /** Of the definition of the flow, when it is durable. */
  readonly hash: string | undefined;
  readonly deliver: Deliver;
  /** As {@link deliver}, for who bounds how many there are: under this id, unless the message is durable. */
  readonly run: (message: Replayed, id: string) => Promise<Exchange | undefined>;
  /** Of a durable flow: for messages that are ours from the moment they are kept. */
  readonly journal: IntakeJournal | undefined;
  /** Whoever waits for an answer is turned away with `paused`, until it is called with `false`. */
  hold(held: boolean): void;
  /** A message that was under way when a process ended goes on. Never rejects: nobody waits for it. */
  resume(run: LeftRun): Promise<void>;
}

/** Messages that their source has forgotten, as it was told that they are done: they live in the journal alone. */
export interface IntakeJournal {
  /** From the moment it resolves the message is not lost. */
  begin(message: Incoming, id: string): Promise<Run>;
  /** Runs the flow once; the account is ended when it did well, and stays for whoever decides when it did not. */
  run(run: Run, message: Incoming): Promise<Exchange | undefined>;
  /** While this message is under way nobody else takes it up. */
  once(id: string, work: () => Promise<Exchange | undefined>): Promise<Exchange | undefined>;
}

/** Who decides about the account of a durable message when its flow has failed. */
interface Accounting {
  readonly run: Run;
  /** The message is in the journal alone. */
  readonly owned?: boolean;
}

/** The way of a message into its flow: bounded, with a life of its own, and an account of what became of it. */
export function intake(flow: FlowProgram, world: IntakeWorld): Intake {
  const { services, inFlight, awaited, watch, durable } = world;
  const { clock, random, log } = services;
  const { handler, name, streams } = flow;
  const limit = flow.source.deadline ?? (awaited ? defaultDeadline : undefined);
  const capacity = awaited ? (flow.source.concurrency ?? defaultConcurrency) : Number.POSITIVE_INFINITY;
  const late = (): Failure => failure('deadline', { flow: name });
  /** How many may be under way; none of a flow that is paused. */
  let room = capacity;
  let underWay = 0;
  const metered = messageMeter(name, services.meter, () => underWay);

  const through = async (
    id: string,
    incoming: Incoming,
    accounting: Accounting | undefined,
  ): Promise<Exchange | undefined> => {
    const run = accounting?.run;
    const ms = least(limit, incoming.deadline);
    const since = clock.monotonic();
    const deadline = ms === undefined ? {} : { since, deadline: since + ms, late };
    const life = new Life(clock, { ...deadline, journal: run?.journal });
    if (streams) incoming.body.allowRelay();
    const own = new Trace(id, incoming.headers, random);
    const watched = watch?.begin(id, incoming, own);
    const trace = watched?.trace ?? own;
    const message: Message = { place: -1, id, flow: name, since, life, trace };
    let failed: Failure | undefined;
    underWay++;
    inFlight.add(message);
    let relayed: Exchange | undefined;
    try {
      incoming.onStart?.(life, id);
      life.check();
      const { body, headers, key } = incoming;
      const origin = key === undefined ? incoming.origin : { ...incoming.origin, key };
      relayed = await handler(Exchange.create({ id, flow: name, services, life, trace, origin, body, headers }));
      if (life.settles) await life.settled(undefined);
      if (run) await ended(run, id, flow.settlement !== undefined && accounting?.owned !== true);
      metered.done(clock.monotonic() - since, relayed === undefined);
      watched?.ended(relayed, undefined);
      return relayed;
    } catch (thrown) {
      const error = life.suspended ? failure('suspended', {}, { cause: thrown }) : toFailure(thrown);
      metered.failed(clock.monotonic() - since, error);
      if (life.suspended) {
        watched?.ended(undefined, error);
        if (accounting?.owned) await accounting.run.parked().catch(() => {});
        throw error;
      }
      error.outcome = life.outcome;
      // Its time was over between two steps.
      error.place ??= name;
      watched?.ended(undefined, error);
      const safe = life.settles ? await life.settled(error) : undefined;
      if (safe) {
        if (run) await ended(run, id, flow.settlement !== undefined && accounting?.owned !== true);
        return safe.instead;
      }
      failed = error;
      if (!message.givenUp) report(error, { flow: name, exchange: id, traceId: trace.id }, awaited, log);
      if (run && !accounting?.owned) await ended(run, id, false);
      throw error;
    } finally {
      // Where nobody waits for an answer, nobody reads what is left of one.
      life.discard(awaited ? relayed?.body : undefined);
      life.end();
      underWay--;
      inFlight.delete(message, failed);
    }
  };

  const ended = async (run: Run, id: string, done: boolean): Promise<void> => {
    try {
      await run.end(done);
    } catch (thrown) {
      // All it did is in its account: when it is taken up again, nothing happens twice.
      log.warn('the account of a message that has ended could not be removed', {
        flow: name,
        exchange: id,
        detail: toFailure(thrown).message,
      });
    }
  };

  const kept = async (incoming: Replayed, own: string, { runs, hash }: NonNullable<typeof durable>) => {
    const known = incoming.key === undefined ? own : runs.idFor(name, incoming.key);
    const id = incoming.id ?? known;
    const { headers, origin, body } = incoming;
    return runs.once(id, async () => {
      // What a replay was about may have gone on by itself after a crash.
      if ((incoming.key !== undefined || incoming.replay) && (await runs.isDone(id))) {
        log.debug('a message came again that was done', { flow: name, exchange: id });
        return undefined;
      }
      const run = await runs.begin({ id, flow: name, hash, headers, origin }, body, !awaited && !incoming.replay);
      if (!run) {
        log.error(waitsForVersion, { flow: name, exchange: id });
        return undefined;
      }
      return through(id, incoming, { run });
    });
  };

  const journal: IntakeJournal | undefined = durable && {
    async begin({ headers, origin, body }, id) {
      const run = await durable.runs.begin({ id, flow: name, hash: durable.hash, headers, origin, owned: true }, body);
      if (!run) throw failure('interrupted', { flow: name });
      return run;
    },
    run: (run, message) => through(run.record.id, message, { run, owned: true }),
    once: (id, work) => durable.runs.once(id, work),
  };

  const run: Intake['run'] = (incoming, id) =>
    durable ? kept(incoming, id, durable) : through(id, incoming, undefined);

  // Not an async function: one that returns a promise makes its caller wait three turns more.
  const deliver: Deliver = (incoming) => {
    if (underWay >= room) {
      const detail = `${capacity} messages are under way in the flow ${name}`;
      const error =
        room === 0
          ? failure('paused', { flow: name, retryAfter: pausedMs })
          : failure('overloaded', { detail, retryAfter: 1000 });
      metered.refused(error);
      watch?.refused(incoming, error);
      return Promise.reject(error);
    }
    return run(incoming, incoming.id ?? random.uuid());
  };

  return {
    hash: durable?.hash,
    deliver,
    run,
    journal,
    hold(held) {
      room = held && awaited ? 0 : capacity;
    },
    async resume(left) {
      if (!durable) return;
      const { id, headers, origin } = left.record;
      const named = { flow: name, exchange: id, traceId: new Trace(id, headers, random).id };
      log.info('a message that was under way goes on', named);
      try {
        await durable.runs.once(id, () => through(id, { headers, origin, body: left.body }, { run: left }));
      } catch (thrown) {
        const error = toFailure(thrown);
        if (error.code === 'suspended') return;
        const { code, place, outcome, message: detail } = error;
        const fields = { ...named, code, place, outcome, detail };
        if (flow.settlement) log.warn('a message that went on failed: its source gives it again', fields);
        else log.error('a message that went on failed, and nobody waits for it', fields);
      }
    },
  };
}

/** A caller who was told is recovered from; a bug needs somebody. Sources that nobody awaits report losses themselves. */
function report(
  error: Failure,
  facts: Readonly<Record<string, unknown>>,
  awaited: boolean,
  log: Services['log'],
): void {
  const fields = {
    ...facts,
    code: error.code,
    kind: error.kind,
    place: error.place,
    outcome: error.outcome,
    detail: error.message,
  };
  if (error.kind === 'bug') {
    const { cause } = error;
    log.error('a message failed', { ...fields, stack: cause instanceof Error ? cause.stack : undefined });
  } else if (awaited && (error.status >= 500 || error.outcome !== 'none')) log.warn('a message failed', fields);
  else log.debug('a message failed', fields);
}

const least = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.min(a, b);
