import { after } from 'node:test';
import { nats } from '../../../connectors/nats/index.ts';
import { once } from '../../../src/core/once.ts';
import { behind } from '../../support/conformance.ts';
import { withPackage } from '../../support/debian-server.ts';
import { describeEndpoint, type EndpointPeer } from '../../support/endpoint-conformance.ts';
import { NatsServer, natsProgram } from '../../support/nats-server.ts';
import { describeSource, type SourcePeer } from '../../support/source-conformance.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { endpointOptions, fresh, sourceOptions } from './support.ts';

withPackage('nats-server', natsProgram, 'nats', () => {
  const ends = new AsyncDisposableStack();
  after(() => ends.disposeAsync());

  const peer = once(async (): Promise<SourcePeer & EndpointPeer> => {
    const { connect } = await import('@nats-io/transport-node');
    const { jetstreamManager } = await import('@nats-io/jetstream');
    const server = ends.use(await NatsServer.start());
    const proxy = ends.use(await TcpProxy.before(server.port));
    const url = `nats://127.0.0.1:${proxy.port}`;
    const connection = await connect({
      servers: `127.0.0.1:${server.port}`,
      reconnectTimeWait: 20,
      maxReconnectAttempts: -1,
    });
    ends.defer(() => connection.close());
    const manager = await jetstreamManager(connection, { checkAPI: false });
    const newStream = async (): Promise<string> => {
      const name = fresh();
      await manager.streams.add({ name, subjects: [`${name}.>`] });
      return name;
    };
    return {
      ...behind(proxy),
      async place() {
        const stream = await newStream();
        return {
          options: sourceOptions({ url, stream, consumer: 'reader', heartbeat: 500, ackWait: 2_000 }),
          async publish(texts) {
            for (const text of texts) await manager.jetstream().publish(`${stream}.x`, text);
          },
        };
      },
      async target() {
        const stream = await newStream();
        return {
          options: endpointOptions({ url, stream, heartbeat: 500 }),
          operation: { subject: `${stream}.x` },
          async received() {
            const { last_seq } = (await manager.streams.info(stream)).state;
            const stored = Array.from({ length: last_seq }, (_, index) =>
              manager.streams.getMessage(stream, { seq: index + 1 }),
            );
            return (await Promise.all(stored)).map((one) => {
              const headers = Object.fromEntries(
                [...(one?.header ?? [])].map(([name, values]) => [name, values.join()]),
              );
              return { text: one?.string() ?? '', headers, contentType: headers['content-type'] };
            });
          },
        };
      },
    };
  });

  describeSource({
    name: 'nats',
    connector: nats,
    peer,
    except: {
      'a message under way when the connection breaks comes again; its late end does no harm':
        'it does not come again while this process works on it: acknowledgements may go over the next connection',
    },
    refused: [
      {
        title: 'a stream that is not there',
        options: async (far) => ({ ...((await far.place()).options as object), stream: 'NONE' }),
        says: /there is no stream `NONE`: make it, or/,
      },
    ],
  });

  describeEndpoint({ name: 'nats', connector: nats, peer });
});
