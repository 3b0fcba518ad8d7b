/** What stores must do that several processes share. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Failure } from '../../../src/errors.ts';
import type { StoreOptions } from '../../../src/store/options.ts';
import type { Store } from '../../../src/store/store.ts';
import { Child, scriptArgs } from '../../support/child-process.ts';
import { eventually } from '../../support/eventually.ts';
import { put, text, written } from './subject.ts';

export interface SharedSubject {
  /** Settings of a store that nobody has used yet. */
  readonly fresh: () => StoreOptions;
  readonly open: (options: StoreOptions) => Promise<Store>;
  /** Milliseconds. */
  readonly timeout: number;
  readonly server: () => { kill(): Promise<void>; start(): Promise<void> };
}

export function shared(subject: SharedSubject): void {
  const openBoth = async (t: TestContext): Promise<readonly [Store, Store]> => {
    const options = subject.fresh();
    // At once: both find that nothing is there yet.
    const both = await Promise.all([subject.open(options), subject.open(options)]);
    t.after(() => Promise.all(both.map((store) => store.close())));
    return both;
  };

  describe('shared', () => {
    test('what one has written the other sees at once', async (t) => {
      const [one, other] = await openBoth(t);
      for (let i = 0; i < 20; i++) {
        const version = await written(one, put('a', `${i}`));
        const seen = await other.get('test', 'a');
        assert.ok(seen);
        assert.equal(text(seen.value), `${i}`);
        assert.equal(seen.version, version);
      }
    });

    test('of fifty contenders on two connections one wins', async (t) => {
      const both = await openBoth(t);
      const results = await Promise.all(
        Array.from({ length: 50 }, (_, i) => both[i % 2 === 0 ? 0 : 1].write([put('a', `${i}`, { when: 'absent' })])),
      );
      assert.equal(results.filter((result) => result.written).length, 1);
    });

    test('of three processes exactly one is the first with each of a hundred keys', async (t) => {
      const options = subject.fresh();
      const store = await subject.open(options);
      t.after(() => store.close());
      const script = fileURLToPath(new URL('contender.ts', import.meta.url));
      const count = 100;
      const contenders = ['one', 'two', 'three'].map(
        (name) => new Child(process.execPath, scriptArgs(script, JSON.stringify(options), name, `${count}`)),
      );
      t.after(() => Promise.all(contenders.map((child) => child[Symbol.asyncDispose]())));
      await Promise.all(contenders.map((child) => child.until('it is ready', () => child.stdout.includes('ready'))));
      await written(store, put('go', 'go', {}, 'race'));
      await Promise.all(contenders.map((child) => child.ended));
      for (const child of contenders) assert.match(child.stdout, /done\n$/, child.describe('did not get through'));
      const won = contenders.flatMap((child) => [...child.stdout.matchAll(/^won (.*)$/gm)].map(([, key]) => key));
      assert.equal(won.length, count);
      assert.equal(new Set(won).size, count);
    });

    test('everything acknowledged is there after the server was killed, and the store finds it again', async (t) => {
      const store = await subject.open(subject.fresh());
      t.after(() => store.close());
      const server = subject.server();
      const acknowledged = new Set<string>();
      let failed = 0;
      let killed: Promise<void> | undefined;
      const writer = async (name: string): Promise<void> => {
        for (let i = 0; failed < 4; i++) {
          const key = `${name}-${i}`;
          try {
            await written(store, put(`${key}/a`), put(`${key}/b`));
            acknowledged.add(key);
          } catch {
            failed++;
          }
          if (acknowledged.size > 200) killed ??= server.kill();
        }
      };
      await Promise.all(['w', 'x', 'y', 'z'].map(writer));
      await killed;
      await eventually('a write fails at once, and it is known that nothing was written', async () => {
        const start = performance.now();
        const error: unknown = await store.write([put('nowhere')]).catch((thrown: unknown) => thrown);
        assert.ok(error instanceof Failure);
        return error.facts['sent'] === false && performance.now() - start < subject.timeout / 2;
      });
      await server.start();
      await eventually('the store is connected again', async () => {
        return store.get('test', 'nothing').then(
          () => true,
          () => false,
        );
      });
      for (const key of acknowledged) {
        assert.ok(await store.get('test', `${key}/a`), `${key}/a was acknowledged`);
        assert.ok(await store.get('test', `${key}/b`), `${key}/b was acknowledged`);
      }
      const { entries } = await store.list('test', { limit: 1000 });
      const halves = Map.groupBy(entries, (entry) => entry.key.slice(0, -2));
      for (const [key, both] of halves) assert.equal(both.length, 2, `${key} is there by half`);
    });
  });
}
