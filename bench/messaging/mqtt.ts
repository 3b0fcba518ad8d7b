import mqtt from 'mqtt';
import { MosquittoServer, mosquittoProgram } from '../../test/support/mosquitto-server.ts';
import type { Messaging } from './messaging.ts';

/** So many publications are under way while messages are put into the broker. */
const inFlight = 500;

export const mqttMessaging: Messaging = {
  name: 'mqtt',
  title: 'MQTT 5 (Mosquitto), QoS 1',
  missing: () => (mosquittoProgram === undefined ? 'Mosquitto is not installed: apt-get install mosquitto' : undefined),
  async open() {
    // As many as the clients ask for, and as many waiting as there are.
    const settings = () => ['max_inflight_messages 0', 'max_queued_messages 0'];
    const broker = await MosquittoServer.start({ lean: true, settings });
    const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
    let took: (topic: string, payload: Buffer) => void = () => {};
    client.on('message', (topic, payload) => took(topic, payload));
    return {
      url: broker.url,
      async prepare(who) {
        await client.subscribeAsync(`${who}.out`, { qos: 0 });
      },
      async fill(who, count, body) {
        for (let left = count; left > 0; left -= inFlight) {
          const some = Array.from({ length: Math.min(left, inFlight) }, () =>
            client.publishAsync(`${who}.in`, body, { qos: 1 }),
          );
          await Promise.all(some);
        }
      },
      drained: (who, count) =>
        new Promise((resolve) => {
          let left = count;
          took = (topic, payload) => {
            if (topic === `${who}.out` && --left === 0) resolve(payload.toString());
          };
        }),
      async [Symbol.asyncDispose]() {
        await client.endAsync(true);
        await broker[Symbol.asyncDispose]();
      },
    };
  },
};
