import { nats } from '../../../connectors/nats/index.ts';
import { withPackage } from '../../support/debian-server.ts';
import { NatsServer, natsProgram } from '../../support/nats-server.ts';
import { describeSource } from '../../support/source-conformance.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { fresh, sourceOptions } from './support.ts';

withPackage('nats-server', natsProgram, 'nats', () => {
  describeSource({
    name: 'nats',
    connector: nats,
    peer: async () => {
      const { connect } = await import('@nats-io/transport-node');
      const { jetstreamManager } = await import('@nats-io/jetstream');
      const server = await NatsServer.start();
      const proxy = await TcpProxy.before(server.port);
      const url = `nats://127.0.0.1:${proxy.port}`;
      const connection = await connect({
        servers: `127.0.0.1:${server.port}`,
        reconnectTimeWait: 20,
        maxReconnectAttempts: -1,
      });
      const manager = await jetstreamManager(connection, { checkAPI: false });
      return {
        async place() {
          const stream = fresh();
          await manager.streams.add({ name: stream, subjects: [`${stream}.>`] });
          return {
            options: sourceOptions({ url, stream, consumer: 'reader', heartbeat: 500, ackWait: 2_000 }),
            async publish(texts: readonly string[]) {
              for (const text of texts) await manager.jetstream().publish(`${stream}.x`, text);
            },
          };
        },
        cut: () => proxy.reset(),
        down: () => proxy.down(),
        up: () => proxy.up(),
        async close() {
          await connection.close();
          await proxy[Symbol.asyncDispose]();
          await server[Symbol.asyncDispose]();
        },
      };
    },
    except: {
      'a message under way when the connection breaks comes again; its late end does no harm':
        'it does not come again while this process works on it: acknowledgements may go over the next connection',
    },
    refused: [
      {
        title: 'a stream that is not there',
        options: async (peer) => ({ ...((await peer.place()).options as object), stream: 'NONE' }),
        says: /there is no stream `NONE`: make it, or/,
      },
    ],
  });
});
