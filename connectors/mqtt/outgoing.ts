import { type Exchange, failure, type Headers } from '#sdk';
import type { Publication } from './link.ts';
import { nameProblem } from './topics.ts';

/** What a call asks for, evaluated. */
interface Operation {
  readonly topic?: unknown;
  readonly qos?: 0 | 1;
  readonly retain?: boolean;
  /** Milliseconds. */
  readonly messageExpiry?: number;
  readonly responseTopic?: unknown;
  readonly correlationData?: unknown;
  /** A `call` that waits for an answer. */
  readonly answered?: boolean;
}

export interface Defaults {
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly version: 5 | '3.1.1';
}

type Properties = NonNullable<Publication['properties']>;

const bad = (detail: string): Error => failure('validation', { detail });

export const operationOf = ({ operation }: Exchange): Operation => (operation ?? {}) as Operation;

/** What is published for an exchange. */
export function publicationOf(exchange: Exchange, bytes: Uint8Array | string, defaults: Defaults): Publication {
  const operation = operationOf(exchange);
  const { qos = defaults.qos, retain = defaults.retain } = operation;
  const topic = topicOf(operation.topic);
  const properties = defaults.version === 5 ? propertiesOf(exchange, operation) : undefined;
  if (!properties) refuseNewer(operation);
  const payload = typeof bytes === 'string' || Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
  return { topic, payload, qos, retain, ...(properties ? { properties } : {}) };
}

function topicOf(topic: unknown): string {
  if (typeof topic !== 'string')
    throw bad('it is to be published and has no topic: give the step `mqtt: { topic: … }`');
  const problem = nameProblem(topic);
  if (problem !== undefined) throw bad(`the topic ${problem}`);
  return topic;
}

function propertiesOf(exchange: Exchange, operation: Operation): Properties {
  const { messageExpiry, responseTopic, correlationData } = operation;
  const { body } = exchange;
  const properties: Properties = {};
  const contentType = body.isEmpty ? undefined : body.wireType(exchange.services.codec);
  if (contentType !== undefined) properties.contentType = contentType;
  addHeaders(exchange.ownHeaders, properties);
  if (messageExpiry !== undefined) properties.messageExpiryInterval = Math.ceil(messageExpiry / 1000);
  if (responseTopic !== undefined) properties.responseTopic = topicOf(responseTopic);
  if (correlationData !== undefined) properties.correlationData = Buffer.from(textOf(correlationData));
  return properties;
}

/** All but the content type, which has a field of its own. */
function addHeaders(headers: Headers, properties: Properties): void {
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || name === 'content-type') continue;
    properties.userProperties ??= {};
    properties.userProperties[name] = typeof value === 'string' ? value : [...value];
  }
}

function textOf(value: unknown): string {
  if (['string', 'number', 'boolean'].includes(typeof value)) return String(value);
  throw bad('`correlationData` must yield text');
}

function refuseNewer({ messageExpiry, responseTopic, correlationData, answered }: Operation): void {
  const asked = Object.entries({ messageExpiry, responseTopic, correlationData }).find(
    ([, value]) => value !== undefined,
  );
  if (asked) throw bad(`\`${asked[0]}\` needs \`version: 5\` on the endpoint: MQTT 3.1.1 has no such thing`);
  if (answered) throw bad('`call` needs `version: 5` on the endpoint: MQTT 3.1.1 knows no answers; use `send`');
}

/** How large it is on the wire, at most: what the broker measures by (MQTT 5 §3.2.2.3.6). */
export function sizeOf({ topic, payload, properties = {} }: Publication): number {
  const { userProperties = {}, contentType = '', responseTopic = '', correlationData } = properties;
  const pairs = Object.entries(userProperties).flatMap(([name, value]) =>
    [value].flat().map((one) => length(name) + length(one) + 5),
  );
  const texts = length(topic) + length(contentType) + length(responseTopic) + (correlationData?.length ?? 0);
  // Lengths, the packet id, and the fields of fixed size.
  const rest = 40;
  return (
    rest +
    texts +
    pairs.reduce((sum, one) => sum + one, 0) +
    (typeof payload === 'string' ? length(payload) : payload.length)
  );
}

const length = (text: string): number => Buffer.byteLength(text);
