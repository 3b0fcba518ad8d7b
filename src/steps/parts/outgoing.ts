import { Body } from '../../core/body.ts';
import { type Exchange, type Handler, type Headers, noHeaders } from '../../core/exchange.ts';
import { type ConnectorSource, TemplateSource } from '../../core/written.ts';
import { failure, outcomeOf, toFailure } from '../../errors.ts';
import { stepEvent } from '../../events/options.ts';
import type { Infer } from '../../schema/infer.ts';
import type { CompileContext, EndpointReference, Evaluate, WrittenCall } from '../step.ts';
import { headersFrom, merged } from './headers.ts';

const ofTheEndpoint = 'belongs to the endpoint: under `endpoints:`, beside its connector';

/** How an endpoint is treated is said once, where it is named. */
export const policiesElsewhere = Object.fromEntries(
  ['timeout', 'deadline', 'retry', 'retries', 'circuitBreaker', 'bulkhead', 'rateLimit'].map((key) => [
    key,
    ofTheEndpoint,
  ]),
);

/** The options that `call`, `send` and `recipientList` share. */
export const outgoingOptions = {
  headers: {
    type: 'object',
    template: true,
    additionalProperties: { type: 'string' },
    description: 'Headers of this message, beside those that `set` gave it. Nothing else that came in is passed on.',
  },
  body: { template: true, description: 'What is sent: a value with `${{ }}` holes. Default: the body.' },
  event: stepEvent,
  idempotent: {
    type: 'boolean',
    default: false,
    description: 'Doing it twice is as good as once: `retry` may repeat it, whatever its method.',
  },
  idempotencyKey: {
    type: 'string',
    template: true,
    description:
      'Sent as the header `Idempotency-Key`, the same for every repeat: the far side does it once, so `retry` may repeat it.',
    examples: ['${{ orderId }}'],
  },
  expect: {
    type: 'array',
    items: {
      either: [
        { type: 'integer', minimum: 100, maximum: 599 },
        { type: 'string', pattern: '^[1-5]xx$', patternText: 'a status (`404`) or a class (`2xx`)' },
      ],
    },
    minItems: 1,
    description: 'Statuses that are success. Default: `[2xx]`. Any other is the error `http-<status>`.',
    examples: [['2xx', 404]],
  },
} as const;

interface OutgoingOptions {
  readonly connector?: ConnectorSource | undefined;
  readonly headers?: TemplateSource | undefined;
  readonly body?: TemplateSource | undefined;
  readonly event?: Infer<typeof stepEvent> | undefined;
  readonly idempotent?: boolean | undefined;
  readonly idempotencyKey?: TemplateSource | undefined;
  readonly expect?: readonly (string | number)[] | undefined;
}

/**
 * Builds, for each message, what an endpoint is given: operation, body, headers. `repeats`: perhaps more than once.
 * `whole`: the answer is looked at, so that receiving all of it is part of the call. `answered`: somebody waits for one;
 * where a connector can also send one way, this is how it tells the two apart.
 */
export function compileOutgoing(
  options: OutgoingOptions,
  context: CompileContext,
  {
    repeats,
    whole = false,
    answered = false,
  }: { readonly repeats: boolean; readonly whole?: boolean; readonly answered?: boolean },
): (exchange: Exchange) => Exchange | Promise<Exchange> {
  const operation = context.evaluated({
    ...(options.connector?.options as object | undefined),
    ...(options.expect ? { expect: options.expect } : {}),
    ...(options.event ? { event: options.event } : {}),
    bodyGiven: options.body !== undefined,
    repeatable: options.idempotent === true || options.idempotencyKey !== undefined,
    ...(whole ? { whole } : {}),
    ...(answered ? { answered } : {}),
  });
  const key: Evaluate | undefined = options.idempotencyKey ? context.template(options.idempotencyKey) : undefined;
  const headers: Evaluate | undefined = options.headers ? context.template(options.headers) : undefined;
  const body: Evaluate | undefined = options.body ? context.template(options.body) : undefined;
  if (!body && repeats) context.body.look();
  else if (!body) context.body.take();
  const built = async (exchange: Exchange): Promise<Exchange> => {
    const given = headers ? merged(exchange.ownHeaders, headersFrom(await headers(exchange))) : exchange.ownHeaders;
    const ownHeaders = key ? merged(given, keyHeader(await key(exchange))) : given;
    if (!body) await exchange.settle();
    const sent = body ? Body.value(await body(exchange)) : exchange.body;
    return exchange.with({
      operation: await operation(exchange),
      ownHeaders,
      body: sent.as(ownHeaders['content-type']),
    });
  };
  if (headers || key || body) return built;
  // Most calls send what they got, and nothing of that takes time.
  return (exchange) => {
    if (exchange.body.isStream || exchange.ownHeaders !== noHeaders) return built(exchange);
    const value = operation(exchange);
    if (!(value instanceof Promise)) return exchange.withOperation(value);
    return value.then((ready: unknown) => exchange.withOperation(ready));
  };
}

function keyHeader(key: unknown): Headers {
  if (key === undefined || key === null || key === '') {
    throw failure('validation', { detail: 'the idempotency key of a call is empty' });
  }
  return headersFrom({ 'idempotency-key': key });
}

/** Reports, in a saga, a call that changes something and does not say how it is undone. */
export function checkUndo(
  endpoint: EndpointReference | undefined,
  options: OutgoingOptions & { readonly compensate?: unknown },
  context: CompileContext,
): void {
  if (!context.undoWanted || !endpoint || options.compensate || endpoint.safe(known(options, context))) return;
  context.report('', {
    severity: 'warning',
    code: 'no-undo',
    at: 'key',
    message: `This step of a saga changes something at \`${endpoint.name}\` and does not say how it is undone: give it \`compensate: [ … ]\`, empty when nothing can or need be done`,
  });
}

/** The options of the call as far as they are known before a message comes. */
function known(options: OutgoingOptions, context: CompileContext): Readonly<Record<string, unknown>> {
  const written = Object.entries((options.connector?.options as object | undefined) ?? {});
  return Object.fromEntries(
    written.map(([key, value]) => [key, value instanceof TemplateSource ? context.constant(value)?.value : value]),
  );
}

/** Reports a `retry` that will hardly ever repeat this call. */
export function checkRepeat(
  endpoint: EndpointReference | undefined,
  options: OutgoingOptions,
  context: CompileContext,
): void {
  if (!endpoint?.repeats || options.idempotent || options.idempotencyKey) return;
  if (endpoint.idempotent(known(options, context))) return;
  context.report('endpoint', {
    severity: 'warning',
    code: 'not-repeatable',
    message: `\`${endpoint.name}\` has \`retry\`, but a call that changes something is repeated only when it surely was not sent. If twice is as good as once write \`idempotent: true\`; if the service knows idempotency keys, \`idempotencyKey: …\``,
  });
}

/** A call as its connector looks at it while validating. */
export function writtenCall({ connector, headers, body }: OutgoingOptions): WrittenCall {
  const written = headers?.value;
  const isMap = typeof written === 'object' && written !== null && !Array.isArray(written);
  return {
    options: (connector?.options ?? {}) as Readonly<Record<string, unknown>>,
    headers: headers === undefined ? [] : isMap ? Object.keys(written) : undefined,
    bodyGiven: body !== undefined,
  };
}

/** Reports what the connector itself finds wrong with the call. */
export function checkCall(
  endpoint: EndpointReference | undefined,
  options: OutgoingOptions,
  context: CompileContext,
): void {
  const { connector } = options;
  if (!endpoint || (connector && connector.name !== endpoint.connector)) return;
  endpoint.checkCall(writtenCall(options), (at, message, suggestion) => {
    const there = connector ? `${connector.name}${at === '' ? '' : `/${at}`}` : 'endpoint';
    context.report(there, {
      code: 'bad-option',
      at: connector && at === '' ? 'key' : 'value',
      message: `${message.charAt(0).toUpperCase()}${message.slice(1)}`,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  });
}

/** Reports options that stand under another connector's name than the endpoint's, or are missing altogether. */
export function checkConnector(
  endpoint: EndpointReference | undefined,
  connector: ConnectorSource | undefined,
  context: CompileContext,
): void {
  if (endpoint && !connector && endpoint.needs.length > 0) {
    const options = endpoint.needs.map((one) => `${one}: …`).join(', ');
    context.report('endpoint', {
      code: 'missing-operation',
      message: `A message to \`${endpoint.name}\` needs \`${endpoint.connector}: { ${options} }\` beside \`endpoint\``,
    });
  } else if (endpoint && (!connector || connector.name === endpoint.connector)) {
    checkLacking(endpoint, connector, context);
  }
  if (!endpoint || !connector || connector.name === endpoint.connector) return;
  context.report(connector.name, {
    code: 'wrong-connector',
    at: 'key',
    message: `The endpoint \`${endpoint.name}\` is of the connector \`${endpoint.connector}\`: its options stand under \`${endpoint.connector}:\`, not \`${connector.name}:\``,
    suggestion: endpoint.connector,
  });
}

/** Reports a call without what its endpoint leaves to each call. */
function checkLacking(endpoint: EndpointReference, given: ConnectorSource | undefined, context: CompileContext): void {
  const { name, connector } = endpoint;
  const lacking = endpoint.lacks((given?.options ?? {}) as Readonly<Record<string, unknown>>);
  const [first] = lacking;
  if (first === undefined) return;
  const either = lacking.map((one) => `\`${one}\``).join(' or ');
  const here = given ? `${either} here` : `\`${connector}: { ${first}: … }\` beside \`endpoint\``;
  context.report(given?.name ?? 'endpoint', {
    code: 'missing-operation',
    ...(given ? { at: 'key' } : {}),
    name,
    message: `A message to \`${name}\` needs ${here}, or ${either} on the endpoint itself`,
  });
}

/** What becomes of the answer of an endpoint. */
type Take<T> = (answer: Exchange | undefined) => T;

/**
 * Calls the endpoint and keeps the account of effects; `safe` calls (GET …) have none. In a durable message each is done
 * once: `pointer` is the place of the step. Resolves with what `take` makes of the answer.
 */
export function tracked(
  endpoint: EndpointReference,
  pointer: string,
): <T>(exchange: Exchange, take: Take<T>) => Promise<T> {
  const far: Handler = (exchange) => {
    const { journal } = exchange.life;
    if (!journal) return endpoint.handler(exchange);
    const nature = { safe: endpoint.safe(exchange.operation), repeatable: endpoint.repeatable(exchange.operation) };
    return journal.effect(exchange.position + pointer, exchange, nature, () => endpoint.handler(exchange));
  };
  return (exchange, take) => {
    const answer = far(exchange);
    if (endpoint.safe(exchange.operation)) {
      return answer.then((one) => {
        one?.life.keep(one.body);
        return take(one);
      });
    }
    return answer.then(
      (one) => {
        exchange.life.affect('partial');
        one?.life.keep(one.body);
        return take(one);
      },
      (thrown: unknown) => {
        const error = toFailure(thrown);
        exchange.life.affect(outcomeOf(error));
        throw error;
      },
    );
  };
}

/** Reports events that the endpoint does not send, and those that nobody says the type of. */
export function checkEvent(
  endpoint: EndpointReference | undefined,
  event: OutgoingOptions['event'],
  context: CompileContext,
): void {
  if (!endpoint) return;
  const { name, events } = endpoint;
  if (event && !events) {
    context.report('event', {
      code: 'no-event',
      at: 'key',
      message: `\`${name}\` sends no events: give it \`cloudEvents: { mode: … }\` under \`endpoints:\`, or drop \`event\``,
    });
  } else if (events && events.type === undefined && !event?.type) {
    context.report('endpoint', {
      code: 'no-event-type',
      message: `What is sent to \`${name}\` is an event, and an event has a type: write \`event: { type: … }\` beside \`endpoint\`, or \`type\` in its \`cloudEvents\``,
    });
  }
}
