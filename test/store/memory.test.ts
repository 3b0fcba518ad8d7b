import { describe, type TestContext, test } from 'node:test';
import { VirtualClock } from '../../src/core/clock.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { conformance } from './support/conformance.ts';
import { leases } from './support/leases.ts';
import { tryStore } from './support/model.ts';
import { failOnFatal, type Opened, quietLog } from './support/subject.ts';
import { passing } from './support/virtual-time.ts';

const openMemory = (clock: VirtualClock): Promise<Store> =>
  openStore({ memory: {} }, { clock, log: quietLog, integration: 'test', folder: '/', onFatal: failOnFatal });

async function open(t: TestContext): Promise<Opened> {
  const clock = new VirtualClock();
  const store = await openMemory(clock);
  t.after(() => store.close());
  return { store, until: passing(clock) };
}

describe('memory store', () => {
  conformance(open);
  leases(open);

  test('random commands do what a map does', async () => {
    const subject = () => {
      const clock = new VirtualClock();
      return { open: () => openMemory(clock), clock, survives: false, ordered: true };
    };
    await tryStore(subject, { trials: 300, length: 80 });
  });
});
