/** What stands in for the far side of an endpoint: it answers as the test says. */
import { Body } from '../core/body.ts';
import { sleep } from '../core/clock.ts';
import { type Exchange, type Headers, noHeaders } from '../core/exchange.ts';
import {
  customFailure,
  detailOf,
  errorTable,
  type Failure,
  failure,
  httpFailure,
  type KnownCode,
  toFailure,
} from '../errors.ts';
import type { Scope } from '../expression/expression.ts';
import type { Template } from '../expression/template.ts';
import type { Answered, ConnectorDefinition, Endpoint, Rehearsal, RehearsedEndpoint } from '../sdk.ts';
import type { AnswerPlan } from './plan-answers.ts';
import { addProblem, callTitle, type RecordedCall, type Recording } from './recording.ts';

export interface StandInWorld {
  readonly recording: Recording;
  /** JSON pointer of the test. */
  readonly pointer: string;
  /** By endpoint. */
  readonly answers: ReadonlyMap<string, readonly AnswerPlan[]>;
}

/** `real`: answers in its place where the test says nothing; what goes out is recorded all the same. */
export function standIn(
  name: string,
  definition: ConnectorDefinition,
  world: StandInWorld,
  rehearsal: Rehearsal | undefined,
  real?: Endpoint,
  rehearsed?: RehearsedEndpoint,
): Endpoint {
  const answers = world.answers.get(name);
  const used = new Map<AnswerPlan, number>();
  let nth = 0;

  const handle = async (exchange: Exchange): Promise<Exchange | undefined> => {
    const call = await recorded(exchange, name, definition, ++nth, rehearsal?.sendsBody?.(exchange) ?? true);
    world.recording.calls.push(call);
    try {
      const answer = !answers && real ? await real.handle(exchange) : await answered(exchange, call);
      if (call.outcome === '') call.outcome = 'done';
      return answer && rehearsed ? await rehearsed.answered(exchange, answer) : answer;
    } catch (thrown) {
      const error = toFailure(thrown);
      call.outcome = exchange.life.aborted ? `given up: ${error.code}` : error.code;
      throw error;
    }
  };

  const answered = async (exchange: Exchange, call: RecordedCall): Promise<Exchange | undefined> => {
    const scope = scopeOf(exchange, call);
    const plan = await chosen(scope, call);
    const { does, delay } = plan;
    if (delay > 0) await sleep(exchange.services.clock, delay, exchange.life.signal);
    if (does.is === 'hang') return exchange.life.race(new Promise<never>(() => {}));
    if (does.is === 'fail') throw failed(does.code, does.kind, { endpoint: name, ...does.facts });
    const answer = await ofTest(`${plan.pointer}/reply`, () => replied(does, scope, exchange, name));
    call.outcome = rehearsal?.answered ? String(answer.status) : 'done';
    if (!definition.replies) return undefined;
    return rehearsal?.answered
      ? rehearsal.answered(exchange, name, answer)
      : plainly(exchange, name, definition.carrier === undefined ? { ...answer, status: undefined } : answer);
  };

  /** What the test itself says and cannot be worked out is a mistake of the test. */
  const ofTest = async <T>(pointer: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      const message = `The answer of \`${name}\` cannot be made: ${detailOf(thrown)}`;
      addProblem(world.recording, { pointer, message });
      throw customFailure('no-answer-in-test', 'permanent', 500, message, { endpoint: name });
    }
  };

  /** The first that fits and is not used up; of those that fit the last one repeats. */
  const chosen = async (scope: Scope, call: RecordedCall): Promise<AnswerPlan> => {
    let last: AnswerPlan | undefined;
    for (const plan of answers ?? []) {
      const { when } = plan;
      if (when && (await ofTest(`${plan.pointer}/when`, async () => when.evaluate(scope))) !== true) continue;
      last = plan;
      if ((used.get(plan) ?? 0) < plan.times) break;
    }
    if (!last) throw unanswered(call, answers !== undefined);
    used.set(last, (used.get(last) ?? 0) + 1);
    return last;
  };

  const unanswered = (call: RecordedCall, some: boolean): Failure => {
    const what = `\`${name}\` was called${callTitle(call) === '' ? '' : ` (${callTitle(call)})`}`;
    const message = some
      ? `${what}, and none of its answers fits: add one without \`when\``
      : `${what}, and the test says nothing about it: write \`${name}: [{ reply: ${definition.replies ? '{ body: … }' : '{}'} }]\` under \`endpoints\``;
    addProblem(world.recording, { pointer: some ? (answers?.[0]?.pointer ?? world.pointer) : world.pointer, message });
    return customFailure('no-answer-in-test', 'permanent', 500, message, { endpoint: name });
  };

  const prepare = rehearsed && ((exchange: Exchange) => rehearsed.prepared(exchange));
  return { handle, prepare, close: async () => real?.close() };
}

async function recorded(
  exchange: Exchange,
  endpoint: string,
  definition: ConnectorDefinition,
  nth: number,
  sendsBody: boolean,
): Promise<RecordedCall> {
  const { services, ownHeaders } = exchange;
  const known = Object.keys(definition.call?.properties ?? {});
  const given = (exchange.operation ?? {}) as Readonly<Record<string, unknown>>;
  const operation = Object.fromEntries(known.flatMap((key) => (given[key] === undefined ? [] : [[key, given[key]]])));
  const { headers: more } = operation as { readonly headers?: Headers };
  const lower = Object.fromEntries(Object.entries(more ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    endpoint,
    connector: definition.name,
    nth,
    operation,
    body: sendsBody ? await bodyOf(exchange) : undefined,
    headers: { ...ownHeaders, ...lower },
    contentType: sendsBody ? exchange.body.wireType(services.codec) : undefined,
    at: services.clock.monotonic(),
    outcome: '',
  };
}

/** What cannot be read as a value is shown as text. */
async function bodyOf(exchange: Exchange): Promise<unknown> {
  try {
    return await exchange.value();
  } catch {
    const bytes = await exchange.bytes();
    return typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString();
  }
}

/** What `when`, and holes in answers, see of a call. */
export function callSeen({ endpoint, nth, operation, body, headers }: RecordedCall): Readonly<Record<string, unknown>> {
  return { ...operation, endpoint, nth, body, headers };
}

function scopeOf(exchange: Exchange, call: RecordedCall): Scope {
  const { clock, random } = exchange.services;
  return {
    body: () => callSeen(call),
    variable: () => undefined,
    now: () => clock.now(),
    random: () => random.next(),
    uuid: () => random.uuid(),
  };
}

async function replied(
  { status, headers, body, text }: Extract<AnswerPlan['does'], { readonly is: 'reply' }>,
  scope: Scope,
  { services }: Exchange,
  endpoint: string,
): Promise<Required<Omit<Answered, 'error'>>> {
  const value = async (template: Template | undefined): Promise<unknown> => template?.evaluate(scope);
  const given = Object.entries(((await value(headers)) ?? {}) as Readonly<Record<string, unknown>>);
  const named: Record<string, string | readonly string[]> = {};
  for (const [name, one] of given) named[name.toLowerCase()] = Array.isArray(one) ? one.map(String) : String(one);
  const code = Number(await value(status));
  if (!Number.isInteger(code) || code < 200 || code > 599) throw new Error('its `status` is no number from 200 to 599');
  const type = typeof named['content-type'] === 'string' ? named['content-type'] : undefined;
  const written = await value(text);
  const content = await value(body);
  if (written === undefined && content !== undefined) named['content-type'] ??= services.codec.defaultType;
  return {
    status: code,
    headers: named,
    body:
      written !== undefined
        ? Body.bytes(String(written), type, endpoint)
        : content === undefined
          ? Body.empty
          : // As it comes over a wire: what a flow makes of it begins with bytes.
            Body.bytes(services.codec.write(content, type).bytes, type ?? services.codec.defaultType, endpoint),
  };
}

function plainly(exchange: Exchange, endpoint: string, { status, headers, body }: Answered): Exchange {
  return exchange.with({ body, headers, ownHeaders: noHeaders, response: { status, headers, endpoint } });
}

function failed(code: string, kind: Failure['kind'] | undefined, facts: Readonly<Record<string, unknown>>): Failure {
  const status = /^http-(\d{3})$/.exec(code)?.[1];
  if (status !== undefined && kind === undefined) return httpFailure(Number(status), facts);
  if (Object.hasOwn(errorTable, code)) {
    // What could not be reached has nothing of the call.
    const sent = code === 'connection' ? { sent: false } : {};
    const usual = { detail: 'the test says so', ms: 0, ...sent, ...facts };
    return failure(code as KnownCode, usual, kind ? { kind } : {});
  }
  const detail = facts['detail'];
  const text = typeof detail === 'string' ? detail : `The test lets it fail with ${code}`;
  return customFailure(code, kind ?? 'transient', kind === 'permanent' ? 500 : 503, text, facts);
}
