import type { Expression } from '../expression/expression.ts';
import { childPointer } from '../schema/node.ts';
import { expressionOf } from './expressions.ts';
import type { CallsSource, ExpectSource, ReplySource, TestSource } from './language.ts';
import type { PlanWorld } from './plan.ts';
import { isList } from './plan-sends.ts';
import { unknownName } from './unknown-name.ts';

/** What a JSON Schema finds in a value. */
export type SchemaCheck = (value: unknown) => readonly { readonly pointer: string; readonly message: string }[];

export interface ReplyPlan extends Omit<ReplySource, 'matches' | 'schema'> {
  readonly pointer: string;
  readonly matches: Expression | undefined;
  readonly schema: SchemaCheck | undefined;
}

export interface CallPlan {
  readonly pointer: string;
  readonly body: unknown;
  readonly hasBody: boolean;
  readonly exactly: boolean;
  readonly headers: Readonly<Record<string, unknown>> | undefined;
  /** The options of the connector. */
  readonly operation: { readonly connector: string; readonly value: unknown } | undefined;
  readonly matches: Expression | undefined;
}

export type CallsPlan = { readonly pointer: string } & (
  | { readonly calls: readonly CallPlan[] }
  | { readonly count: number }
);

export interface ExpectPlan extends Omit<ExpectSource, 'reply' | 'replies' | 'calls'> {
  readonly pointer: string;
  /** By message, in order. */
  readonly replies: readonly ReplyPlan[];
  readonly calls: ReadonlyMap<string, CallsPlan>;
}

export function planExpectations(test: TestSource, pointer: string, world: PlanWorld): ExpectPlan {
  const { reply, replies, calls, ...rest } = test.expect;
  checkReplyForm(test, pointer, world);
  const single = reply ? [planReply(reply, `${pointer}/reply`, world)] : [];
  const many = (replies ?? []).map((one, index) => planReply(one, `${pointer}/replies/${index}`, world));
  checkNames(rest, pointer, world);
  return { ...rest, pointer, replies: [...single, ...many], calls: planCalls(calls, `${pointer}/calls`, world) };
}

function checkReplyForm({ send, expect }: TestSource, pointer: string, { report }: PlanWorld): void {
  const wrong = (key: 'reply' | 'replies', message: string): void =>
    report({ severity: 'error', code: 'misplaced-key', at: 'key', pointer: `${pointer}/${key}`, message });
  if (isList(send) && expect.reply) {
    wrong('reply', '`send` is a list here: write `replies`, with one entry for each message');
  } else if (!isList(send) && expect.replies) {
    wrong('replies', '`replies` is for a list of messages. `send` is one: write `reply`');
  } else if (isList(send) && expect.replies) {
    const messages = send.filter((one) => one.flow !== undefined).length;
    if (expect.replies.length > messages) {
      wrong('replies', `There are ${expect.replies.length} replies here, and only ${messages} messages`);
    }
  }
}

function planReply(reply: ReplySource, pointer: string, world: PlanWorld): ReplyPlan {
  const { matches, schema, ...rest } = reply;
  return {
    ...rest,
    pointer,
    matches: matches && expressionOf(matches, ['status', 'headers'], world.report),
    schema: schema === undefined ? undefined : schemaOf(schema, `${pointer}/schema`, world),
  };
}

function schemaOf(schema: unknown, pointer: string, { jsonSchema, report }: PlanWorld): SchemaCheck | undefined {
  const file = schema as { readonly path?: unknown; readonly text?: unknown };
  const isFile = typeof file.path === 'string' && typeof file.text === 'string' && 'pointer' in file;
  try {
    return jsonSchema(isFile ? JSON.parse(String(file.text)) : schema);
  } catch (thrown) {
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    const message = isFile ? `This file is no JSON Schema: ${detail}` : `This is no JSON Schema: ${detail}`;
    report({ severity: 'error', code: 'bad-schema', pointer, message });
    return undefined;
  }
}

function planCalls(calls: ExpectSource['calls'], pointer: string, world: PlanWorld): ReadonlyMap<string, CallsPlan> {
  const { integration, report } = world;
  const plans = new Map<string, CallsPlan>();
  for (const [name, expected] of Object.entries(calls ?? {})) {
    const at = childPointer(pointer, name);
    const endpoint = integration.endpoints[name];
    if (!endpoint) {
      report(unknownName('endpoint', name, Object.keys(integration.endpoints), at, 'key'));
      continue;
    }
    plans.set(
      name,
      'count' in expected
        ? { pointer: at, count: expected.count }
        : {
            pointer: at,
            calls: expected.map((one, index) => planCall(one, `${at}/${index}`, endpoint.connector.name, world)),
          },
    );
  }
  return plans;
}

type CallSource = Extract<CallsSource, readonly unknown[]>[number];

function planCall(call: CallSource, pointer: string, connector: string, world: PlanWorld): CallPlan {
  const { body, exactly, headers, matches, ...operation } = call as CallSource & Readonly<Record<string, unknown>>;
  for (const key of Object.keys(operation)) {
    if (key !== connector) {
      const names = ['body', 'exactly', 'headers', 'matches', connector];
      world.report(unknownName('option', key, names, childPointer(pointer, key), 'key'));
    }
  }
  const options = operation[connector];
  const known = Object.keys(world.connectors[connector]?.call?.properties ?? {});
  const given = typeof options === 'object' && options !== null ? Object.keys(options) : [];
  for (const key of given) {
    if (!known.includes(key))
      world.report(unknownName('option', key, known, childPointer(`${pointer}/${connector}`, key), 'key'));
  }
  return {
    pointer,
    body,
    hasBody: body !== undefined,
    exactly,
    headers,
    operation: options === undefined ? undefined : { connector, value: options },
    matches: matches && expressionOf(matches, [], world.report),
  };
}

function checkNames(expect: ExpectSource, pointer: string, { integration, report }: PlanWorld): void {
  const endpoints = Object.keys(integration.endpoints);
  for (const [index, name] of (expect.order ?? []).entries()) {
    if (!endpoints.includes(name))
      report(unknownName('endpoint', name, endpoints, `${pointer}/order/${index}`, 'value'));
  }
  for (const name of Object.keys(expect.breaker ?? {})) {
    const at = childPointer(`${pointer}/breaker`, name);
    const policies = integration.endpoints[name]?.policies as { readonly circuitBreaker?: unknown } | undefined;
    if (!policies) report(unknownName('endpoint', name, endpoints, at, 'key'));
    else if (policies.circuitBreaker === undefined) {
      const message = `The endpoint \`${name}\` has no \`circuitBreaker\``;
      report({ severity: 'error', code: 'no-breaker', at: 'key', pointer: at, message });
    }
  }
  for (const [index, letter] of (expect.deadLetters ?? []).entries()) {
    const flows = Object.keys(integration.flows);
    if (letter.flow !== undefined && !flows.includes(letter.flow))
      report(unknownName('flow', letter.flow, flows, `${pointer}/deadLetters/${index}/flow`, 'value'));
  }
}
