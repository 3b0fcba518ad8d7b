import { isUtf8 } from 'node:buffer';
import { Body, type Headers, type Incoming, noHeaders } from '#sdk';
import type { Received } from './link.ts';
import type { Match } from './topics.ts';

export interface Knowledge {
  readonly clientId: string;
  readonly match: (topic: string) => Match | undefined;
  readonly receivedAt: number;
}

/** A message as the flow gets it. */
export function incomingOf(packet: Received, { clientId, match, receivedAt }: Knowledge): Incoming {
  const { topic, payload, qos, retain, dup, messageId, properties } = packet;
  const headers = properties ? headersOf(properties) : noHeaders;
  const contentType = headers['content-type'];
  const matched = match(topic);
  const source: Record<string, unknown> = { topic, qos, retain, duplicate: dup, clientId };
  if (matched) {
    source['filter'] = matched.filter;
    source['wildcards'] = matched.wildcards;
  }
  if (qos > 0) source['packetId'] = messageId;
  if (properties) addProperties(properties, source);
  return {
    body: Body.bytes(payload, typeof contentType === 'string' ? contentType : undefined),
    headers,
    origin: { source, receivedAt, attempt: dup ? 2 : 1 },
  };
}

function addProperties(
  { responseTopic, correlationData, messageExpiryInterval }: NonNullable<Received['properties']>,
  source: Record<string, unknown>,
): void {
  if (responseTopic !== undefined) source['responseTopic'] = responseTopic;
  if (correlationData !== undefined) source['correlationData'] = textOf(correlationData);
  if (messageExpiryInterval !== undefined) source['messageExpiry'] = messageExpiryInterval * 1000;
}

/** User properties, and the content type from its own field. */
export function headersOf({ userProperties, contentType }: NonNullable<Received['properties']>): Headers {
  if (!userProperties && contentType === undefined) return noHeaders;
  const headers: Record<string, string | readonly string[]> = Object.create(null);
  for (const [name, value] of userProperties ? Object.entries(userProperties) : []) {
    const key = name.toLowerCase();
    const before = headers[key];
    // Names that differ in their case alone are one here.
    headers[key] = before === undefined ? value : [before, value].flat();
  }
  if (contentType !== undefined) headers['content-type'] = contentType;
  return headers;
}

/** Bytes that are text as text, others as Base64. */
export const textOf = (bytes: Buffer): string => bytes.toString(isUtf8(bytes) ? 'utf8' : 'base64');
