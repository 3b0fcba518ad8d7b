import { after } from 'node:test';
import { mqtt as connector } from '../../../connectors/mqtt/index.ts';
import { withPackage } from '../../support/debian-server.ts';
import { MosquittoServer, mosquittoProgram } from '../../support/mosquitto-server.ts';
import { describeSource, type SourcePeer } from '../../support/source-conformance.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { beginSession, sourceOptions, stranger } from './support.ts';

withPackage('mosquitto', mosquittoProgram, 'a real broker', () => {
  for (const version of [5, '3.1.1'] as const) {
    const ends = new AsyncDisposableStack();
    after(() => ends.disposeAsync());
    let broker: MosquittoServer;
    let places = 0;
    let port = 0;
    const optionsOf = (name: string) =>
      sourceOptions({ url: `mqtt://127.0.0.1:${port}`, topics: [`${name}/#`], clientId: name, version });

    describeSource({
      name: `mqtt ${version}`,
      connector,
      async peer(): Promise<SourcePeer> {
        // By itself it gives clients of 3.1.1 no more than 20 at once.
        broker = await MosquittoServer.start({ settings: () => ['max_inflight_messages 0'] });
        ends.use(broker);
        const proxy = ends.use(await TcpProxy.before(broker.port));
        port = proxy.port;
        return {
          async place() {
            const name = `place-${++places}`;
            await beginSession(broker, name, [`${name}/#`]);
            return {
              options: optionsOf(name),
              async publish(texts) {
                const client = await stranger(broker);
                for (const text of texts) await client.publishAsync(`${name}/x`, text, { qos: 1 });
                await client.endAsync();
              },
            };
          },
          cut: () => proxy.reset(),
          async down() {
            await broker.save();
            await broker.kill();
          },
          up: () => broker.start(),
        };
      },
      except: {
        'a message under way when the connection breaks comes again; its late end does no harm':
          'in the same session it is known to be the same, and is not handed over twice',
      },
    });
  }
});
