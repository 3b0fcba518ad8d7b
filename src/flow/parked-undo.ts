import type { Codec } from '../core/body.ts';
import type { Exchange, ParkedUndo, Services } from '../core/exchange.ts';
import { detailOf, toFailure } from '../errors.ts';
import type { DeadLetter, DeadLetterKeeper } from './dead-letter.ts';
import { keptHeaders } from './settlement/letter-headers.ts';

/** How long it may take to keep one. Milliseconds. */
const keepMs = 10_000;

export interface UndoKeeping {
  readonly integration: { readonly name: string; readonly version: string | undefined };
  /** Takes out of a text what must never be printed. */
  readonly clean: (text: string) => string;
  readonly keeper: () => Promise<DeadLetterKeeper>;
}

/** Keeps what a person needs to undo by hand what a compensation could not. Never rejects: a log line says if it fails. */
export function undoParking(world: UndoKeeping): NonNullable<Services['parkUndo']> {
  return async (exchange, undo) => {
    const { clock, log } = exchange.services;
    const life = exchange.life.undoing(keepMs);
    try {
      const body = Buffer.from(world.clean(JSON.stringify(await about(undo.saw ?? exchange, undo), undefined, 2)));
      const letter = letterOf(exchange, undo, world, clock.now());
      const keep = async (): Promise<void> => (await world.keeper()).keep(letter, body);
      await life.race(keep());
      log.info('the compensation is kept with the dead letters', { ...exchange.named, place: undo.place });
    } catch (thrown) {
      const { code, message: detail } = toFailure(thrown);
      const facts = { ...exchange.named, place: undo.place, code, detail };
      log.error('a compensation that failed could not be kept: only the log knows of it', facts);
    } finally {
      life.end();
    }
  };
}

function letterOf(
  { id, flow, origin, headers, trace }: Exchange,
  { place, failed, attempts }: ParkedUndo,
  { integration, clean }: UndoKeeping,
  now: number,
): DeadLetter {
  return {
    id,
    type: 'undo',
    integration: integration.name,
    version: integration.version,
    flow,
    place,
    code: failed.code,
    kind: failed.kind,
    detail: clean(failed.message),
    attempts,
    receivedAt: origin.receivedAt,
    failedAt: now,
    traceId: trace.id,
    headers: keptHeaders(headers),
    source: origin.source,
    params: origin.params,
    query: origin.query,
    identity: origin.identity,
    contentType: 'application/json',
  };
}

/** What the compensation saw: what it was to undo, and why. */
async function about(saw: Exchange, { place, why }: ParkedUndo): Promise<Readonly<Record<string, unknown>>> {
  const { code, message, place: at } = why;
  return {
    undo: place,
    because: { code, message, place: at },
    variables: saw.variables,
    body: await readable(saw.body, saw.services.codec),
  };
}

/** A stream that was given away is not there any more. */
async function readable(body: Exchange['body'], codec: Codec): Promise<unknown> {
  if (body.isStream) return undefined;
  try {
    return await body.value(codec);
  } catch {
    return Promise.resolve(body.bytes(codec)).then((bytes) => Buffer.from(bytes as string).toString(), detailOf);
  }
}
