import { after } from 'node:test';
import { redis } from '../../../connectors/redis/index.ts';
import { once } from '../../../src/core/once.ts';
import { behind } from '../../support/conformance.ts';
import { withPackage } from '../../support/debian-server.ts';
import { describeEndpoint, type EndpointPeer } from '../../support/endpoint-conformance.ts';
import { RedisServer, redisProgram } from '../../support/redis-server.ts';
import { describeSource, type SourcePeer } from '../../support/source-conformance.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { endpointOptions, fresh, sourceOptions } from './support.ts';

withPackage('redis-server', redisProgram, 'redis', () => {
  const ends = new AsyncDisposableStack();
  after(() => ends.disposeAsync());

  const peer = once(async (): Promise<SourcePeer & EndpointPeer & { readonly url: string }> => {
    const { createClient } = await import('@redis/client');
    const server = ends.use(await RedisServer.start('--appendfsync', 'everysec'));
    const proxy = ends.use(await TcpProxy.before(server.port));
    const url = `redis://127.0.0.1:${proxy.port}`;
    const client = createClient({ url: server.url });
    await client.connect();
    ends.defer(() => client.destroy());
    return {
      ...behind(proxy),
      url,
      async place() {
        const stream = fresh();
        return {
          options: sourceOptions({ url, stream, group: 'readers', heartbeat: 500, claimAfter: 2_000 }),
          async publish(texts) {
            for (const text of texts) await client.sendCommand(['XADD', stream, '*', 'body', text]);
          },
        };
      },
      async target() {
        const stream = fresh();
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
    };
  });

  describeSource({
    name: 'redis',
    connector: redis,
    peer,
    except: {
      'a message under way when the connection breaks comes again; its late end does no harm':
        'it does not come again while this process works on it: acknowledgements may go over the next connection',
    },
    refused: [
      {
        title: 'a password that the server does not know',
        options: async (far) => ({ ...((await far.place()).options as object), password: 'wrong' }),
        says: /the server has no password: drop `password`|the server refuses us/,
      },
    ],
  });

  describeEndpoint({
    name: 'redis',
    connector: redis,
    peer,
    refused: [
      {
        title: 'a database that is not there',
        options: async () => endpointOptions({ url: `${(await peer()).url}/99`, stream: fresh() }),
        says: /the server has no such database/,
      },
    ],
  });
});
