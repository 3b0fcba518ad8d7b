/** PUBLISH as it goes over the wire (MQTT 3.1.1 and 5, §3.3): the library would copy each message to keep it, and write it in many pieces. */
import type { Publication } from './link.ts';

type Properties = NonNullable<Publication['properties']>;

const property = {
  messageExpiry: 0x02,
  contentType: 0x03,
  responseTopic: 0x08,
  correlationData: 0x09,
  userProperty: 0x26,
} as const;

/** Payloads from here on are written as they are: copying them would cost more than one more piece. */
const largeFrom = 16 * 1024;

const textLength = (text: string): number => 2 + Buffer.byteLength(text);

/** How many bytes a number takes, seven bits in each (§1.5.5). */
const variableLength = (value: number): number => (value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4);

/** Bytes that the text takes at most, with what stands in front of it. */
const room = (text: string): number => 3 + 3 * text.length;

function roomFor({ contentType = '', responseTopic = '', correlationData, userProperties }: Properties): number {
  let most = 5 + room(contentType) + room(responseTopic) + 3 + (correlationData?.length ?? 0);
  for (const name in userProperties) {
    const value = userProperties[name];
    if (typeof value === 'string') most += room(name) + room(value);
    else for (const one of value ?? []) most += room(name) + room(one);
  }
  return most;
}

/** The properties as they go over the wire, without the length that stands in front of them (§2.2.2). */
function encoded(properties: Properties): Buffer {
  const { messageExpiryInterval, contentType, responseTopic, correlationData, userProperties } = properties;
  const writer = new Writer(Buffer.allocUnsafe(roomFor(properties)));
  if (messageExpiryInterval !== undefined) {
    writer.byte(property.messageExpiry);
    writer.long(messageExpiryInterval);
  }
  if (contentType !== undefined) {
    writer.byte(property.contentType);
    writer.text(contentType);
  }
  if (responseTopic !== undefined) {
    writer.byte(property.responseTopic);
    writer.text(responseTopic);
  }
  if (correlationData !== undefined) {
    writer.byte(property.correlationData);
    writer.short(correlationData.length);
    writer.raw(correlationData);
  }
  for (const name in userProperties) {
    const value = userProperties[name];
    if (typeof value === 'string') writer.pair(name, value);
    else for (const one of value ?? []) writer.pair(name, one);
  }
  return writer.written;
}

const payloadLength = (payload: Buffer | string): number =>
  typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length;

function remainingLength({ topic, payload, qos }: Publication, properties: Buffer | undefined): number {
  const own = properties ? variableLength(properties.length) + properties.length : 0;
  return textLength(topic) + (qos === 0 ? 0 : 2) + own + payloadLength(payload);
}

/** What the broker measures by (§3.2.2.3.6). */
export function packetLength(publication: Publication): number {
  const remaining = remainingLength(publication, publication.properties && encoded(publication.properties));
  return 1 + variableLength(remaining) + remaining;
}

/** The packet, a large payload apart. `properties` are there exactly under MQTT 5. */
export function publishPacket(publication: Publication, packetId: number): readonly [head: Buffer, payload?: Buffer] {
  const { topic, payload, qos, retain } = publication;
  const large = typeof payload !== 'string' && payload.length >= largeFrom;
  const properties = publication.properties && encoded(publication.properties);
  const remaining = remainingLength(publication, properties);
  const bytes = Buffer.allocUnsafe(1 + variableLength(remaining) + remaining - (large ? payload.length : 0));
  const writer = new Writer(bytes);
  writer.byte(0x30 | (qos << 1) | (retain ? 1 : 0));
  writer.variable(remaining);
  writer.text(topic);
  if (qos > 0) writer.short(packetId);
  if (properties) {
    writer.variable(properties.length);
    writer.raw(properties);
  }
  if (large) return [bytes, payload];
  writer.raw(payload);
  return [bytes];
}

class Writer {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get written(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  byte(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  short(value: number): void {
    this.byte(value >> 8);
    this.byte(value & 0xff);
  }

  long(value: number): void {
    this.#at = this.#bytes.writeUInt32BE(value, this.#at);
  }

  variable(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** Its length stands in front. */
  text(text: string): void {
    const written = this.#bytes.write(text, this.#at + 2);
    this.short(written);
    this.#at += written;
  }

  /** A user property. */
  pair(name: string, value: string): void {
    this.byte(property.userProperty);
    this.text(name);
    this.text(value);
  }

  raw(payload: Buffer | string): void {
    if (typeof payload === 'string') this.#at += this.#bytes.write(payload, this.#at);
    else this.#at += payload.copy(this.#bytes, this.#at);
  }
}
