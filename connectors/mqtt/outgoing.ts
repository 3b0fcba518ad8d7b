import { type Exchange, failure, type Headers } from '#sdk';
import type { Publication } from './link.ts';
import { nameProblem, textProblem } from './topics.ts';

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
  return properties ? { topic, payload, qos, retain, properties } : { topic, payload, qos, retain };
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
  if (contentType !== undefined) properties.contentType = carried('content-type', contentType);
  addHeaders(exchange.ownHeaders, properties);
  if (messageExpiry !== undefined) properties.messageExpiryInterval = Math.ceil(messageExpiry / 1000);
  if (responseTopic !== undefined) properties.responseTopic = topicOf(responseTopic);
  if (correlationData !== undefined) properties.correlationData = correlationOf(correlationData);
  return properties;
}

/** All but the content type, which has a field of its own. */
function addHeaders(headers: Headers, properties: Properties): void {
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || name === 'content-type') continue;
    properties.userProperties ??= {};
    carried(name, name);
    properties.userProperties[name] =
      typeof value === 'string' ? carried(name, value) : value.map((one) => carried(name, one));
  }
}

/** The broker would end the connection, and with it what else is on its way. */
function carried(name: string, text: string): string {
  const problem = text === '' ? undefined : textProblem(text);
  if (problem !== undefined) throw bad(`the header ${JSON.stringify(name)} ${problem}, which MQTT cannot carry`);
  return text;
}

function correlationOf(value: unknown): Buffer {
  if (!['string', 'number', 'boolean'].includes(typeof value)) throw bad('`correlationData` must yield text');
  const bytes = Buffer.from(String(value));
  if (bytes.length > 65_535) throw bad('`correlationData` is longer than 65535 bytes');
  return bytes;
}

function refuseNewer({ messageExpiry, responseTopic, correlationData, answered }: Operation): void {
  const asked = Object.entries({ messageExpiry, responseTopic, correlationData }).find(
    ([, value]) => value !== undefined,
  );
  if (asked) throw bad(`\`${asked[0]}\` needs \`version: 5\` on the endpoint: MQTT 3.1.1 has no such thing`);
  if (answered) throw bad('`call` needs `version: 5` on the endpoint: MQTT 3.1.1 knows no answers; use `send`');
}
