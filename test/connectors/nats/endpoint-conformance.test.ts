import { nats } from '../../../connectors/nats/index.ts';
import { withPackage } from '../../support/debian-server.ts';
import { describeEndpoint } from '../../support/endpoint-conformance.ts';
import { NatsServer, natsProgram } from '../../support/nats-server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { endpointOptions, fresh } from './support.ts';

withPackage('nats-server', natsProgram, 'nats', () => {
  describeEndpoint({
    name: 'nats',
    connector: nats,
    peer: async () => {
      const { connect } = await import('@nats-io/transport-node');
      const { jetstreamManager } = await import('@nats-io/jetstream');
      const server = await NatsServer.start();
      const proxy = await TcpProxy.before(server.port);
      const connection = await connect({ servers: `127.0.0.1:${server.port}`, reconnectTimeWait: 20 });
      const manager = await jetstreamManager(connection, { checkAPI: false });
      return {
        async target() {
          const stream = fresh();
          await manager.streams.add({ name: stream, subjects: [`${stream}.>`] });
          const url = `nats://127.0.0.1:${proxy.port}`;
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
  });
});
