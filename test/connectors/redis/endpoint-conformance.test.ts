import { redis } from '../../../connectors/redis/index.ts';
import { withPackage } from '../../support/debian-server.ts';
import { describeEndpoint } from '../../support/endpoint-conformance.ts';
import { RedisServer, redisProgram } from '../../support/redis-server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { endpointOptions, fresh } from './support.ts';

withPackage('redis-server', redisProgram, 'redis', () => {
  describeEndpoint({
    name: 'redis',
    connector: redis,
    peer: async () => {
      const { createClient } = await import('@redis/client');
      const server = await RedisServer.start();
      const proxy = await TcpProxy.before(server.port);
      const client = createClient({ url: server.url });
      await client.connect();
      return {
        async target() {
          const stream = fresh();
          const url = `redis://127.0.0.1:${proxy.port}`;
          return {
            options: endpointOptions({ url, stream, heartbeat: 500 }),
            async received() {
              const entries = await client.xRange(stream, '-', '+');
              return (entries ?? []).map(({ message }) => {
                const { body = '', ...headers } = { ...message };
                return { text: body, headers, contentType: headers['content-type'] };
              });
            },
          };
        },
        cut: () => proxy.reset(),
        down: () => proxy.down(),
        up: () => proxy.up(),
        async close() {
          client.destroy();
          await proxy[Symbol.asyncDispose]();
          await server[Symbol.asyncDispose]();
        },
      };
    },
    refused: [
      {
        title: 'a database that is not there',
        options: async (peer) => {
          const { options } = await peer.target();
          return { ...(options as object), url: `${(options as { url: string }).url}/99` };
        },
        says: /the server has no such database/,
      },
    ],
  });
});
