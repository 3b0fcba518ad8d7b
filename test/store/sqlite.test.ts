import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { VirtualClock } from '../../src/core/clock.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { conformance } from './support/conformance.ts';
import { leases } from './support/leases.ts';
import { tryStore } from './support/model.ts';
import { failOnFatal, type Opened, quietLog } from './support/subject.ts';
import { passing } from './support/virtual-time.ts';

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-sqlite-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const openSqlite = (clock: VirtualClock, path: string): Promise<Store> =>
  openStore({ sqlite: { path } }, { clock, log: quietLog, integration: 'test', folder: '/', onFatal: failOnFatal });

async function open(t: TestContext): Promise<Opened> {
  const path = join(newFolder(t), 'store.db');
  const clock = new VirtualClock();
  let store = await openSqlite(clock, path);
  t.after(() => store.close());
  const reopen = async (): Promise<Store> => {
    await store.close();
    store = await openSqlite(clock, path);
    return store;
  };
  return { store, until: passing(clock), reopen };
}

describe('sqlite store', () => {
  conformance(open);
  leases(open);

  test('random commands do what a map does, across restarts too', async (t) => {
    const folder = newFolder(t);
    let trial = 0;
    const subject = () => {
      const clock = new VirtualClock();
      const path = join(folder, `${trial++}.db`);
      return { open: () => openSqlite(clock, path), clock, survives: true, ordered: true };
    };
    await tryStore(subject, { trials: 25, length: 80 });
  });
});
