import assert from 'node:assert/strict';
import { test } from 'node:test';
import mqttPacket from 'mqtt-packet';
import type { Publication } from '../../../connectors/mqtt/link.ts';
import { packetLength, publishPacket } from '../../../connectors/mqtt/publish-packet.ts';
import { seededRandom } from '../../../src/core/random.ts';
import { between, pick } from '../../support/commands.ts';

/** As the parser of the library reads it. */
function read(bytes: Buffer, protocolVersion: 4 | 5): mqttPacket.IPublishPacket {
  const parser = mqttPacket.parser({ protocolVersion });
  const packets: mqttPacket.Packet[] = [];
  parser.on('packet', (packet) => packets.push(packet));
  parser.on('error', (error) => {
    throw error;
  });
  assert.equal(parser.parse(bytes), 0, 'nothing is left over');
  const [packet] = packets;
  assert.ok(packets.length === 1 && packet?.cmd === 'publish');
  return packet;
}

const texts = ['', 'a', 'käse', '🌡', 'x'.repeat(130), 'y'.repeat(20_000)];

test('whatever is published, a reader of MQTT reads the same, and its length is what was said', () => {
  const random = seededRandom(7);
  const some = <T>(value: T): T | undefined => (random.next() < 0.5 ? value : undefined);
  for (let round = 0; round < 500; round++) {
    const isNew = random.next() < 0.7;
    const text = (): string => pick(random, texts);
    const given = {
      messageExpiryInterval: some(between(random, 0, 0xffff_ffff)),
      contentType: some(text()),
      responseTopic: some(`r${text()}`),
      correlationData: some(Buffer.from(text())),
      userProperties: some({ a: text(), [`k${text()}`]: [`1${text()}`, `2${text()}`] }),
    };
    const properties = isNew
      ? Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
      : {};
    const content = pick(random, ['', 'one', 'ü'.repeat(100), 'z'.repeat(17_000), 'z'.repeat(2_100_000)]);
    const publication: Publication = {
      topic: `t${text()}`,
      payload: random.next() < 0.5 ? content : Buffer.from(content),
      qos: random.next() < 0.5 ? 1 : 0,
      retain: random.next() < 0.5,
      ...(isNew ? { properties } : {}),
    };
    const packetId = between(random, 1, 65_535);
    const [head, payload] = publishPacket(publication, packetId);
    const bytes = payload ? Buffer.concat([head, payload]) : head;
    assert.equal(bytes.length, packetLength(publication));
    const packet = read(bytes, isNew ? 5 : 4);
    assert.equal(packet.topic, publication.topic);
    assert.equal(packet.payload.toString(), content);
    assert.deepEqual([packet.qos, packet.retain, packet.dup], [publication.qos, publication.retain, false]);
    if (publication.qos === 1) assert.equal(packet.messageId, packetId);
    const { userProperties, ...rest } = packet.properties ?? {};
    const { userProperties: sent, ...others } = properties;
    assert.deepEqual(rest, others);
    assert.deepEqual(userProperties && { ...userProperties }, sent);
  }
});
