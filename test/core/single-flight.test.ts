import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '../../src/core/clock.ts';
import { Life } from '../../src/core/life.ts';
import { SingleFlight } from '../../src/core/single-flight.ts';
import { failure } from '../../src/errors.ts';

const life = (): Life => new Life(new VirtualClock());

/** Work that ends when it is told to. */
function work<T>(): { run: () => Promise<T>; readonly runs: number; end(value: T): void; fail(reason: Error): void } {
  let runs = 0;
  let ways = Promise.withResolvers<T>();
  return {
    run: () => {
      runs++;
      ways = Promise.withResolvers<T>();
      return ways.promise;
    },
    get runs() {
      return runs;
    },
    end: (value) => ways.resolve(value),
    fail: (reason) => ways.reject(reason),
  };
}

describe('single flight', () => {
  test('one works, all get what it found; who comes later works again', async () => {
    const flights = new SingleFlight<number>();
    const one = work<number>();
    const all = [1, 2, 3].map(() => flights.do('k', life(), one.run));
    one.end(7);
    assert.deepEqual(await Promise.all(all), [7, 7, 7]);
    assert.equal(one.runs, 1);
    const later = flights.do('k', life(), one.run);
    one.end(8);
    assert.equal(await later, 8);
  });

  test('other keys do not wait', async () => {
    const flights = new SingleFlight<number>();
    const [one, other] = [work<number>(), work<number>()];
    const slow = flights.do('a', life(), one.run);
    const quick = flights.do('b', life(), other.run);
    other.end(2);
    assert.equal(await quick, 2);
    one.end(1);
    assert.equal(await slow, 1);
  });

  test('an error is everybody’s, each with its own account', async () => {
    const flights = new SingleFlight<number>();
    const one = work<number>();
    const all = [1, 2].map(() => flights.do('k', life(), one.run).catch((error) => error));
    one.fail(failure('timeout', { endpoint: 'a', ms: 1 }));
    const [first, second] = await Promise.all(all);
    assert.deepEqual([first.code, second.code], ['timeout', 'timeout']);
    assert.equal(second.message, first.message);
    assert.notEqual(first, second);
    assert.equal(one.runs, 1);
  });

  for (const reason of [failure('aborted'), failure('deadline', { flow: 'f' })]) {
    test(`when who works was given up (${reason.code}), the next one works`, async () => {
      const flights = new SingleFlight<number>();
      const one = work<number>();
      const all = [1, 2, 3].map(() => flights.do('k', life(), one.run).catch((error) => error.code));
      one.fail(reason);
      await new Promise(setImmediate);
      assert.equal(one.runs, 2);
      one.end(5);
      assert.deepEqual(await Promise.all(all), [reason.code, 5, 5]);
    });
  }

  test('who is given up while waiting waits no longer; who works goes on', async () => {
    const flights = new SingleFlight<number>();
    const one = work<number>();
    const first = flights.do('k', life(), one.run);
    const mine = life();
    const waiting = flights.do('k', mine, one.run);
    mine.abort(failure('aborted'));
    await assert.rejects(waiting, { code: 'aborted' });
    assert.equal(one.runs, 1);
    one.end(1);
    assert.equal(await first, 1);
  });
});
