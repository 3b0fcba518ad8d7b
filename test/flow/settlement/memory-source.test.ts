import { after } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { MemoryBroker, memoryConnector } from '../../support/memory-broker.ts';
import { describeSource } from '../../support/source-conformance.ts';

// What the suite asks for can be done: the smallest source there is does it.
for (const postpones of [false, true]) {
  const broker = new MemoryBroker(systemClock);
  after(() => broker.close());
  let places = 0;
  describeSource({
    name: postpones ? 'a source in memory that postpones' : 'a source in memory',
    connector: memoryConnector(broker, { postpones }),
    peer: () => ({
      place: async () => {
        const queue = `q${++places}`;
        return {
          options: { queue },
          publish: async (texts) => {
            for (const bytes of texts) broker.publish(queue, { bytes, contentType: 'application/json' });
          },
        };
      },
      cut: () => broker.cut(),
      down: () => broker.down(),
      up: () => {
        broker.up = true;
      },
    }),
  });
}
