/** Where messages come in: paused, resumed, and made to run by a person. */
import { sleep, systemClock } from '../../core/clock.ts';
import { customFailure, toFailure } from '../../errors.ts';
import type { RunningSource } from '../../flow/runtime.ts';
import { parseDuration } from '../../schema/units.ts';
import type { Answer } from './answer.ts';
import { type AdminRequest, type AdminRoute, badRequest, queryOf } from './router.ts';
import type { AdminWorld } from './world.ts';

/** How long a trigger waits for the end of its run where the request says nothing. */
const usualWait = '30s';

export function sourceRoutes(world: AdminWorld): readonly AdminRoute[] {
  return [
    {
      method: 'POST',
      path: '/flows/{name}/pause',
      access: 'change',
      handle: async (request) => {
        const { flow, source } = found(world, request);
        await source.pause();
        world.log.warn('source paused by hand', { flow });
        return stateOf(world, flow);
      },
    },
    {
      method: 'POST',
      path: '/flows/{name}/resume',
      access: 'change',
      handle: async (request) => {
        const { flow, source } = found(world, request);
        await source.resume().catch(notResumed);
        world.log.warn('source resumed by hand', { flow });
        return stateOf(world, flow);
      },
    },
    { method: 'POST', path: '/flows/{name}/trigger', access: 'change', handle: (request) => trigger(world, request) },
  ];
}

function found(world: AdminWorld, { params, query }: AdminRequest): { flow: string; source: RunningSource } {
  queryOf(query, []);
  return sourceIn(world, params['name'] ?? '');
}

function sourceIn(world: AdminWorld, flow: string): { flow: string; source: RunningSource } {
  const source = world.sourceOf(flow);
  if (source) return { flow, source };
  const status = world.status();
  if (!status) throw customFailure('starting', 'rejected', 503, 'The integration is not open yet');
  const sources = status.flows.filter((one) => one.from !== undefined).map((one) => one.name);
  const there = sources.length === 0 ? 'no flow has one' : `there are ${sources.join(', ')}`;
  throw customFailure('not-found', 'permanent', 404, `There is no flow ${flow} with a source; ${there}`);
}

function stateOf(world: AdminWorld, flow: string): Answer {
  const { paused = false, inFlight = 0 } = world.status()?.flows.find((one) => one.name === flow) ?? {};
  return { status: 200, body: { flow, paused, inFlight } };
}

function notResumed(thrown: unknown): never {
  const error = toFailure(thrown);
  if (error.code !== 'startup') throw error;
  throw customFailure('not-resumed', 'transient', 503, `It is paused on: ${error.message}`);
}

async function trigger(world: AdminWorld, { params, query }: AdminRequest): Promise<Answer> {
  const { wait = usualWait } = queryOf(query, ['wait']);
  const patience = parseDuration(wait);
  if (patience.value === undefined) throw badRequest(`wait is how long, such as 30s; ${patience.problem}`);
  const { flow, source } = sourceIn(world, params['name'] ?? '');
  if (!source.trigger) {
    const detail = `The flow ${flow} runs when a message comes: only timers are triggered`;
    throw customFailure('not-a-timer', 'permanent', 409, detail);
  }
  const since = systemClock.monotonic();
  const run = source.trigger();
  const { tick, exchange } = run;
  if (exchange === undefined) {
    const detail = `The last run of ${flow} is still going on: nothing was begun`;
    throw customFailure('still-running', 'rejected', 409, detail);
  }
  world.log.warn('timer triggered by hand', { flow, exchange, tick });
  const outcome = await outcomeOf(run, patience.value);
  const ms = Math.round(systemClock.monotonic() - since);
  return { status: outcome.outcome === 'running' ? 202 : 200, body: { flow, exchange, tick, ...outcome, ms } };
}

type Run = ReturnType<NonNullable<RunningSource['trigger']>>;

type Outcome =
  | { readonly outcome: 'done' | 'dropped' | 'running' }
  | {
      readonly outcome: 'failed';
      readonly code: string;
      readonly kind: string;
      readonly place: string | undefined;
      readonly detail: string;
    };

/** What has become of the run after `ms` at the latest. */
async function outcomeOf({ ended }: Run, ms: number): Promise<Outcome> {
  const enough = new AbortController();
  const result = ended.then(
    (exchange): Outcome => ({ outcome: exchange ? 'done' : 'dropped' }),
    (thrown: unknown): Outcome => {
      const { code, kind, place, message: detail, shown } = toFailure(thrown);
      return { outcome: 'failed', code, kind, place, detail: kind === 'bug' ? shown : detail };
    },
  );
  const late = sleep(systemClock, ms, enough.signal).then(
    (): Outcome => ({ outcome: 'running' }),
    () => result,
  );
  const outcome = await Promise.race([result, late]);
  enough.abort();
  return outcome;
}
