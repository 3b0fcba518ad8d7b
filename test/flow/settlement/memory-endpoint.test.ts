import { after } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { describeEndpoint } from '../../support/endpoint-conformance.ts';
import { MemoryBroker, memoryConnector } from '../../support/memory-broker.ts';

// What the suite asks for can be done.
const broker = new MemoryBroker(systemClock);
after(() => broker.close());
let targets = 0;
describeEndpoint({
  name: 'an endpoint in memory',
  connector: memoryConnector(broker),
  peer: () => ({
    target: async () => {
      const queue = `q${++targets}`;
      return {
        options: { queue },
        received: () =>
          broker.messages(queue).map(({ bytes, headers, contentType }) => ({
            text: Buffer.from(bytes).toString(),
            headers,
            contentType,
          })),
      };
    },
    cut: () => broker.cut(),
    down: () => broker.down(),
    up: () => {
      broker.up = true;
    },
  }),
});
