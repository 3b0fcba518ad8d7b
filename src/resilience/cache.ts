/**
 * Cache of answers: calls that change nothing are answered from what was answered before, as long as that is good (RFC
 * 9111). Of many that ask for the same at once, one calls.
 */
import type { Clock } from '../core/clock.ts';
import type { Exchange, Handler, Headers, Log } from '../core/exchange.ts';
import { readUpTo } from '../core/read-up-to.ts';
import { SingleFlight } from '../core/single-flight.ts';
import { toFailure } from '../errors.ts';
import { Answers, type Kept } from './answers.ts';
import type { CacheOptions } from './cache-options.ts';
import { type CachedRequest, cachedRequest, targetOf } from './cached-request.ts';
import { conditionsOf, judge } from './freshness.ts';
import type { Policy } from './policy.ts';

export interface CacheWorld {
  readonly endpoint: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether the call changes nothing at the far side. */
  readonly safe: (exchange: Exchange) => boolean;
}

/** Milliseconds in which nobody waits for somebody else's answer again, after one that could not be kept. */
const passFor = 10_000;

export function cache(options: CacheOptions, world: CacheWorld): Policy {
  const { endpoint, clock, log } = world;
  const relevant = options.headers?.map((name) => name.toLowerCase());
  const answers = new Answers(options, clock);
  const flights = new SingleFlight<Kept | undefined>();

  const told = (message: string, exchange: Exchange, fields: Readonly<Record<string, unknown>>): void =>
    log.debug(message, { ...exchange.named, endpoint, ...fields });

  /** What may be kept is whole from here on. */
  const keep = async (asked: CachedRequest, given: Exchange, took: number): Promise<Called> => {
    const { headers, response } = given;
    const judged = judge(response?.status ?? 200, headers, { now: clock.now(), took }, options.ttl);
    const useful = judged.fresh > 0 || conditionsOf(headers) || (options.staleIfError > 0 && !judged.strict);
    const refused = judged.refused ?? (useful ? undefined : 'it is old already');
    if (refused) return leave(asked, given, refused);
    const answer = given.withBody(await readUpTo(given.body, options.maxAnswer, given.life, endpoint));
    const bytes = await bytesOf(answer, options.maxAnswer);
    if (!bytes) return leave(asked, answer, `it is larger than ${options.maxAnswer} bytes`);
    const contentType = answer.body.wireType(answer.services.codec);
    told('answer kept', answer, { ms: Math.round(judged.fresh) });
    return { answer, kept: answers.keep(asked, { ...judged, bytes, contentType, headers, response }) };
  };

  const leave = (asked: CachedRequest, answer: Exchange, why: string): Called => {
    answers.pass(asked, passFor);
    told('answer not kept', answer, { why });
    return { answer, kept: undefined };
  };

  return (next) => {
    /** Calls, with the conditions of what is kept and old. */
    const call = async (exchange: Exchange, asked: CachedRequest, old: Kept | undefined): Promise<Called> => {
      const watch = answers.watch(asked.target);
      const start = clock.monotonic();
      const conditions = old && conditionsOf(old.headers);
      try {
        const answer = await next(conditions ? conditional(exchange, conditions) : exchange);
        if (!answer) return { answer, kept: undefined };
        const took = clock.monotonic() - start;
        const isRenewed = old !== undefined && answer.response?.status === 304;
        if (isRenewed) told('answer still good', exchange, {});
        const whole = isRenewed ? old.renewed(answer) : answer;
        // What was read before it was changed is not what is there now.
        return watch.changed ? { answer: whole, kept: undefined } : await keep(asked, whole, took);
      } finally {
        watch.end();
      }
    };

    const together = async (
      exchange: Exchange,
      asked: CachedRequest,
      old: Kept | undefined,
    ): Promise<Exchange | undefined> => {
      let mine: Called | undefined;
      const kept = await flights.do(asked.key, exchange.life, async () => {
        mine = await call(exchange, asked, old);
        return mine.kept;
      });
      if (mine) return mine.answer;
      // What may not be kept is the answer of who asked for it, and of nobody else.
      return kept?.fits(asked) ? kept.answer(exchange, clock.monotonic()) : next(exchange);
    };

    const read: Handler = async (exchange) => {
      const asked = cachedRequest(exchange, relevant);
      const found = asked && answers.find(asked);
      if (!asked || found === 'pass') return next(exchange);
      const now = clock.monotonic();
      if (found?.isFresh(now) && !asked.fresh) {
        told('answered from the cache', exchange, { ageMs: found.age(now) });
        return found.answer(exchange, now);
      }
      try {
        return asked.fresh ? (await call(exchange, asked, found)).answer : await together(exchange, asked, found);
      } catch (thrown) {
        const error = toFailure(thrown);
        const passing = error.kind === 'transient' || error.kind === 'rejected';
        const later = clock.monotonic();
        if (!passing || exchange.life.aborted || !found?.isGoodInNeed(later)) throw error;
        log.warn('an old answer is used, for the call failed', { endpoint, code: error.code, ageMs: found.age(later) });
        return found.answer(exchange, later);
      }
    };

    const change: Handler = async (exchange) => {
      const target = targetOf(exchange);
      try {
        return await next(exchange);
      } finally {
        // Also when it failed: it may have been done all the same.
        answers.changed(target);
      }
    };

    return (exchange) => (world.safe(exchange) ? read(exchange) : change(exchange));
  };
}

interface Called {
  readonly answer: Exchange | undefined;
  readonly kept: Kept | undefined;
}

/** Asks only whether the answer is still the same. */
function conditional(exchange: Exchange, conditions: Headers): Exchange {
  const operation = Object(exchange.operation) as { readonly expect?: readonly unknown[] };
  return exchange.with({
    operation: { ...operation, expect: [...(operation.expect ?? ['2xx']), 304] },
    ownHeaders: Object.assign(Object.create(null), exchange.ownHeaders, conditions),
  });
}

/** `undefined`: there are more than `most`. */
async function bytesOf(answer: Exchange, most: number): Promise<Uint8Array | undefined> {
  if (answer.body.isStream) return undefined;
  const bytes = await answer.bytes();
  const all = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  return all.length > most ? undefined : all;
}
