/** What a test expected and did not happen. */
import type { Expression, Scope } from '../expression/expression.ts';
import { childPointer } from '../schema/node.ts';
import { compare, type Difference } from './compare.ts';
import type { TestPlan } from './plan.ts';
import type { CallPlan, CallsPlan, ReplyPlan } from './plan-expectations.ts';
import { callTitle, type RecordedCall } from './recording.ts';
import type { Rehearsed, ReplySeen } from './rehearse.ts';
import { callSeen } from './stand-in.ts';

export async function judge({ expect, sends }: TestPlan, seen: Rehearsed): Promise<readonly Difference[]> {
  const { pointer } = expect;
  const { recording } = seen;
  const problems = recording.problems.map(({ pointer: at, message }) => ({ pointer: at, what: '', message }));
  if (seen.endless !== undefined) return [...problems, { pointer: parentOf(pointer), what: '', message: seen.endless }];
  const many = sends.length > 1;
  const found: (readonly Difference[])[] = [problems];
  for (const [index, reply] of expect.replies.entries())
    found.push(await replyDifferences(reply, seen.replies[index], many ? `replies[${index}]` : 'reply'));
  for (const [endpoint, calls] of expect.calls)
    found.push(await callDifferences(calls, callsOf(endpoint, recording.calls), endpoint));
  if (expect.order) {
    const named = recording.calls.map((call) => call.endpoint).filter((name) => expect.order?.includes(name));
    found.push(list(expect.order, named, `${pointer}/order`, 'order'));
  }
  if (expect.deadLetters) {
    const actual = seen.deadLetters.map((letter, index) => ({
      ...letter,
      place: shownPlace(letter.place, expect.deadLetters?.[index]?.place),
    }));
    found.push(list(expect.deadLetters, actual, `${pointer}/deadLetters`, 'deadLetters'));
  }
  if (expect.compensations) {
    const done = recording.lines.filter((line) => line.message === 'a compensation was done');
    const actual = done.map(({ fields }, index) => shownPlace(String(fields['place']), expect.compensations?.[index]));
    found.push(list(expect.compensations, actual, `${pointer}/compensations`, 'compensations'));
  }
  if (expect.breaker) found.push(compare(expect.breaker, seen.breakers, `${pointer}/breaker`, 'breaker'));
  if (expect.logs) found.push(logDifferences(expect.logs, seen, `${pointer}/logs`));
  found.push(elapsedDifferences(expect.elapsed, seen.elapsed, `${pointer}/elapsed`));
  return found.flat();
}

const parentOf = (pointer: string): string => pointer.slice(0, pointer.lastIndexOf('/'));

const callsOf = (endpoint: string, calls: readonly RecordedCall[]): readonly RecordedCall[] =>
  calls.filter((call) => call.endpoint === endpoint);

/** A list of which every entry is compared; where they are not as many, all that there were are shown. */
function list(
  expected: readonly unknown[],
  actual: readonly unknown[],
  pointer: string,
  what: string,
): readonly Difference[] {
  return compare(expected, actual, pointer, what);
}

async function replyDifferences(
  plan: ReplyPlan,
  seen: ReplySeen | undefined,
  what: string,
): Promise<readonly Difference[]> {
  const { pointer, status, headers, body, exactly, error, matches, schema } = plan;
  if (!seen) return [{ pointer, what, message: 'never came' }];
  const found: (readonly Difference[])[] = [];
  if (status !== undefined) found.push(compare(status, seen.status, `${pointer}/status`, `${what}.status`));
  if (headers) {
    const lower = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), texts(value)]),
    );
    const renamed = compare(lower, seen.headers, `${pointer}/headers`, `${what}.headers`);
    found.push(renamed.map((one) => ({ ...one, pointer: `${pointer}/headers` })));
  }
  if (body !== undefined) found.push(compare(body, seen.body, `${pointer}/body`, `${what}.body`, exactly));
  if (matches) {
    const variables = { status: seen.status, headers: seen.headers };
    found.push(await unmatched(matches, seen.body, variables, `${pointer}/matches`, `${what}.body`));
  }
  for (const { pointer: at, message } of schema?.(seen.body) ?? []) {
    found.push([{ pointer: `${pointer}/schema`, what: `${what}.body${at.replaceAll('/', '.')}`, message }]);
  }
  if (error) {
    const actual = seen.error && {
      code: seen.error.code,
      kind: seen.error.kind,
      place: shownPlace(seen.error.place, error.place),
      outcome: seen.error.outcome,
    };
    found.push(compare(error, actual, `${pointer}/error`, `${what}.error`));
  }
  return found.flat();
}

/** Headers are text. */
const texts = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(String) : typeof value === 'object' ? value : String(value);

async function callDifferences(
  plan: CallsPlan,
  calls: readonly RecordedCall[],
  endpoint: string,
): Promise<readonly Difference[]> {
  const what = `calls.${endpoint}`;
  const { pointer } = plan;
  const expected = 'count' in plan ? plan.count : plan.calls.length;
  if (calls.length !== expected) {
    const titles = calls.map((call) => callTitle(call) || 'a message');
    const message = `${times(calls.length)}, not ${expected === 0 ? 'never' : expected}`;
    return [{ pointer, what, message: `was called ${message}`, ...(titles.length > 0 ? { actual: titles } : {}) }];
  }
  if ('count' in plan) return [];
  const found = plan.calls.map((one, index) => {
    const call = calls[index];
    return call ? entryDifferences(one, call, `${what}[${index}]`) : [];
  });
  return (await Promise.all(found)).flat();
}

const times = (count: number): string => (count === 0 ? 'never' : count === 1 ? 'once' : `${count} times`);

async function entryDifferences(plan: CallPlan, call: RecordedCall, what: string): Promise<readonly Difference[]> {
  const { pointer, operation, headers, matches } = plan;
  const found: (readonly Difference[])[] = [];
  if (plan.hasBody) found.push(compare(plan.body, call.body, `${pointer}/body`, `${what}.body`, plan.exactly));
  if (headers) {
    const lower = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), texts(value)]),
    );
    const actual = Object.fromEntries(Object.entries(call.headers).map(([name, value]) => [name, texts(value)]));
    const renamed = compare(lower, actual, `${pointer}/headers`, `${what}.headers`);
    found.push(renamed.map((one) => ({ ...one, pointer: `${pointer}/headers` })));
  }
  if (operation) {
    const at = childPointer(pointer, operation.connector);
    found.push(compare(operation.value, call.operation, at, `${what}.${operation.connector}`));
  }
  if (matches) found.push(await unmatched(matches, callSeen(call), {}, `${pointer}/matches`, what));
  return found.flat();
}

async function unmatched(
  expression: Expression,
  value: unknown,
  variables: Readonly<Record<string, unknown>>,
  pointer: string,
  what: string,
): Promise<readonly Difference[]> {
  const scope: Scope = {
    body: () => value,
    variable: (name) => variables[name],
    now: () => 0,
    random: () => 0,
    uuid: () => '',
  };
  try {
    const yielded = await expression.evaluate(scope);
    if (yielded === true) return [];
    const message = `does not match \`${expression.source}\`${yielded === false ? '' : `, which yields ${JSON.stringify(yielded) ?? 'nothing'}`}`;
    return [{ pointer, what, message, actual: value }];
  } catch (thrown) {
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    return [{ pointer, what, message: `cannot be matched: ${detail}`, actual: value }];
  }
}

function logDifferences(
  expected: NonNullable<TestPlan['expect']['logs']>,
  { recording }: Rehearsed,
  pointer: string,
): readonly Difference[] {
  const { lines } = recording;
  let next = 0;
  for (const [index, line] of expected.entries()) {
    const at = lines.findIndex((one, place) => place >= next && compare(line, one, '', '').length === 0);
    if (at < 0) {
      const actual = lines.slice(next).map((one) => `${one.level}: ${one.message}`);
      const message = `was not logged${next > 0 ? ' after the line before' : ''}`;
      return [{ pointer: `${pointer}/${index}`, what: `logs[${index}]`, message, expected: line, actual }];
    }
    next = at + 1;
  }
  return [];
}

function elapsedDifferences(
  expected: TestPlan['expect']['elapsed'],
  elapsed: number,
  pointer: string,
): readonly Difference[] {
  const { atLeast, atMost } = expected ?? {};
  const shown = `${Math.round(elapsed * 1000) / 1000}ms`;
  if (atLeast !== undefined && elapsed < atLeast) {
    return [
      { pointer: `${pointer}/atLeast`, what: 'elapsed', message: `was ${shown}, and must be at least ${atLeast}ms` },
    ];
  }
  if (atMost !== undefined && elapsed > atMost) {
    return [
      { pointer: `${pointer}/atMost`, what: 'elapsed', message: `was ${shown}, and must be at most ${atMost}ms` },
    ];
  }
  return [];
}

/** Of `order/steps/1 "Charge"` the name, or the path where the step has none: or what of it is expected. */
function shownPlace(place: string | undefined, expected?: string): string | undefined {
  if (place === undefined) return undefined;
  const [, path = place, name] = /^(.*?) "(.*)"$/s.exec(place) ?? /^(\S+) [A-Za-z]+$/.exec(place) ?? [];
  const forms = [name, path, place].filter((one) => one !== undefined);
  return forms.find((one) => one === expected) ?? name ?? path;
}
