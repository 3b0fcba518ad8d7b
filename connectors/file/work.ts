import type { Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { backoff, customFailure, type Failure, failure, noHeaders, type SourceContext, sleep, toFailure } from '#sdk';
import type { Claim, Claims } from './claims.ts';
import { bodyOf } from './content.ts';
import type { FileSourceOptions } from './definition.ts';
import { fileFailure, systemCode, systemDetail } from './file-failure.ts';
import type { Folders } from './folders.ts';
import { putDone, putFailed } from './put-away.ts';

/** What everyone who works on files of one source shares. */
export interface Workshop {
  readonly options: FileSourceOptions;
  readonly context: SourceContext;
  readonly folders: Folders;
  readonly claims: Claims;
  /** Aborted when the source stops. */
  readonly stopping: AbortSignal;
}

const longestDelay = 60_000;

/** Brings a claimed file to its end: done, failed, or left claimed for the next process when this one stops. */
export async function workOn(begun: Claim, shop: Workshop): Promise<void> {
  const { context, options, stopping } = shop;
  const { log, name: flow } = context;
  let claim = begun;
  for (let tries = 1; ; tries++) {
    const error = await attempt(claim, shop);
    if (error === 'gone') return gone(claim, shop);
    if (!error) return putAway(claim, shop, (at) => putDone(at, shop.folders, context.clock));
    if (error.kind === 'cancelled' && stopping.aborted) return shop.claims.forgive(claim);
    const counts = !waits(error);
    if (lost(error) || (counts && claim.attempt >= options.maxAttempts)) return fail(claim, error, shop);
    const delay = delayBefore(tries, shop);
    log.warn('A file failed and will be tried again', { ...facts(claim, flow, error), ms: delay });
    if (!(await pause(delay, shop))) return;
    const next = counts ? await again(claim, shop) : claim;
    if (!next) return gone(claim, shop);
    claim = next;
  }
}

/** A file that was begun before, by whoever is gone now. */
export async function resume(left: Claim, shop: Workshop): Promise<void> {
  if (left.attempt >= shop.options.maxAttempts) {
    const message = `It was begun ${left.attempt} times and never finished: the process ended meanwhile`;
    return fail(left, customFailure('interrupted', 'transient', 500, message), shop);
  }
  const claim = await again(left, shop);
  return claim ? workOn(claim, shop) : gone(left, shop);
}

async function attempt(claim: Claim, shop: Workshop): Promise<Failure | 'gone' | undefined> {
  const { context, options } = shop;
  const { name } = claim;
  const path = join(options.path, name);
  let stats: Stats;
  try {
    stats = await lstat(claim.path);
  } catch (thrown) {
    return systemCode(thrown) === 'ENOENT' ? 'gone' : fileFailure(path, thrown);
  }
  const { size, mtime } = stats;
  const source = { path, name, size, modified: mtime.toISOString() };
  const how = { whole: context.needsWholeBody, limit: options.maxSize };
  try {
    const body = await bodyOf({ at: claim.path, path, name, size }, how);
    const receivedAt = context.clock.now();
    try {
      // It was claimed, and the source told to stop before it was read: nothing of it was begun.
      if (shop.stopping.aborted) throw failure('stopping', {}, { kind: 'cancelled' });
      await context.deliver({ body, headers: noHeaders, origin: { source, receivedAt, attempt: claim.attempt } });
    } finally {
      body.discard();
    }
    return undefined;
  } catch (thrown) {
    return toFailure(thrown);
  }
}

/** Where the count cannot be written down, the file is worked on all the same. */
function again(claim: Claim, { claims, context }: Workshop): Promise<Claim | undefined> {
  return claims.again(claim).catch((thrown: unknown) => {
    const detail = systemDetail(thrown);
    context.log.warn('An attempt at a file cannot be counted', { flow: context.name, file: claim.name, detail });
    return claim;
  });
}

/** Nothing was begun, for somebody is busy: that is back-pressure, not a fault of the file. */
const waits = (error: Failure): boolean => error.kind === 'rejected' && error.outcome === 'none';

const lost = (error: Failure): boolean =>
  error.kind === 'permanent' || error.kind === 'definition' || error.kind === 'bug';

const delayBefore = (tries: number, { options, context }: Workshop): number =>
  Math.round(backoff({ delay: options.retryDelay, maxDelay: longestDelay }, tries, context.random));

/** `false` when the source stopped meanwhile. */
const pause = (ms: number, { context, stopping }: Workshop): Promise<boolean> =>
  sleep(context.clock, ms, stopping).then(
    () => true,
    () => false,
  );

const facts = (claim: Claim, flow: string, error: Failure): Readonly<Record<string, unknown>> => ({
  flow,
  file: claim.name,
  attempt: claim.attempt,
  code: error.code,
  kind: error.kind,
  place: error.place,
  detail: error.message,
});

async function fail(claim: Claim, error: Failure, shop: Workshop): Promise<void> {
  const { log, name: flow, clock, integration } = shop.context;
  log.error('A file failed for good', facts(claim, flow, error));
  const report = { integration: integration.name, version: integration.version, flow };
  await putAway(claim, shop, (at) => putFailed(at, error, report, shop.folders, clock));
}

/**
 * Until a file can be put away no other is begun in its place: work whose end cannot be recorded would be repeated
 * without end.
 */
async function putAway(
  claim: Claim,
  shop: Workshop,
  put: (claim: Claim) => Promise<string | undefined>,
): Promise<void> {
  const { log, name: flow } = shop.context;
  for (let tries = 1; ; tries++) {
    try {
      const to = await put(claim);
      if (tries > 1) log.info('A file could be put away at last', { flow, file: claim.name, to });
      else log.debug('A file was put away', { flow, file: claim.name, to });
      return;
    } catch (thrown) {
      if (systemCode(await lstat(claim.path).catch((gone: unknown) => gone)) === 'ENOENT') return gone(claim, shop);
      const detail = systemDetail(thrown);
      if (tries === 1)
        log.error('A file cannot be put away; no other is begun until it can', { flow, file: claim.name, detail });
    }
    if (!(await pause(delayBefore(tries, shop), shop))) {
      log.error('A file was worked on but could not be put away: it will be taken again', { flow, file: claim.name });
      return;
    }
  }
}

function gone(claim: Claim, { context }: Workshop): void {
  context.log.warn('A claimed file is gone: another process took it over, or somebody removed it', {
    flow: context.name,
    file: claim.name,
    attempt: claim.attempt,
  });
}
