/**
 * `node mqtt.ts URL IN OUT`: a loop over mqtt.js that keeps the same promise, at least once with many messages under way:
 * each is acknowledged when what came of it is. The library has no way for that (it acknowledges before anything is done,
 * or takes one message after the other), so this one goes behind its back.
 */
import mqtt, { type Packet } from 'mqtt';
import { mapped, order } from './order.ts';

const [url = '', from = '', to = ''] = process.argv.slice(2);
const reader = mqtt.connect(url, {
  protocolVersion: 5,
  clientId: 'by-hand',
  clean: false,
  properties: { receiveMaximum: 200, sessionExpiryInterval: 3600 },
});
const writer = mqtt.connect(url, { protocolVersion: 5 });
const hidden = reader as unknown as { _sendPacket(packet: Packet): void };
const later = new Error('acknowledged later');

reader.handleMessage = ({ messageId, payload }, done) => {
  writer.publish(to, mapped(order(Buffer.from(payload))), { qos: 1 }, (error) => {
    if (error) throw error;
    hidden._sendPacket({ cmd: 'puback', messageId });
  });
  done(later);
};
reader.subscribe(from, { qos: 1 }, () => process.send?.({}));
process.on('disconnect', () => process.exit());
