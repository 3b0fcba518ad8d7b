import { redis } from '../../../connectors/redis/index.ts';
import { withPackage } from '../../support/debian-server.ts';
import { RedisServer, redisProgram } from '../../support/redis-server.ts';
import { describeSource } from '../../support/source-conformance.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { fresh, sourceOptions } from './support.ts';

withPackage('redis-server', redisProgram, 'redis', () => {
  describeSource({
    name: 'redis',
    connector: redis,
    peer: async () => {
      const { createClient } = await import('@redis/client');
      const server = await RedisServer.start('--appendfsync', 'everysec');
      const proxy = await TcpProxy.before(server.port);
      const client = createClient({ url: server.url });
      await client.connect();
      return {
        async place() {
          const url = `redis://127.0.0.1:${proxy.port}`;
          const stream = fresh();
          return {
            options: sourceOptions({ url, stream, group: 'readers', heartbeat: 500, claimAfter: 2_000 }),
            async publish(texts: readonly string[]) {
              for (const text of texts) await client.sendCommand(['XADD', stream, '*', 'body', text]);
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
    except: {
      'a message under way when the connection breaks comes again; its late end does no harm':
        'it does not come again while this process works on it: acknowledgements may go over the next connection',
    },
    refused: [
      {
        title: 'a password that the server does not know',
        options: async (peer) => ({ ...((await peer.place()).options as object), password: 'wrong' }),
        says: /the server has no password: drop `password`|the server refuses us/,
      },
    ],
  });
});
