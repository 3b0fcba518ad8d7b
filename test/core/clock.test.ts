import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { atMost, sleep, systemClock, VirtualClock } from '../../src/core/clock.ts';

describe('the virtual clock', () => {
  test('fires timers in the order of their time, each before the next', async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    clock.after(200, () => fired.push(`b at ${clock.monotonic()}`));
    clock.after(100, () => {
      fired.push(`a at ${clock.monotonic()}`);
      clock.after(50, () => fired.push(`c at ${clock.monotonic()}`));
    });
    clock.after(100, () => fired.push('never'))();
    await clock.advance(200);
    assert.deepEqual(fired, ['a at 100', 'c at 150', 'b at 200']);
  });
});

describe('sleep', () => {
  test('ends with the reason of its signal, and leaves no timer', async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const sleeping = assert.rejects(sleep(clock, 1000, controller.signal), /enough/);
    controller.abort(new Error('enough'));
    await sleeping;
    assert.equal(clock.next, undefined);
    await assert.rejects(sleep(clock, 1000, controller.signal), /enough/);
  });
});

describe('what is waited for at most so long', () => {
  test('ends with the work, and leaves no timer', async () => {
    const clock = new VirtualClock();
    await atMost(clock, 1_000, Promise.resolve());
    await assert.rejects(atMost(clock, 1_000, Promise.reject(new Error('no'))), /no/);
    assert.equal(clock.next, undefined);
  });

  test('ends without it when it hangs', async () => {
    const clock = new VirtualClock();
    let over = false;
    const waiting = atMost(clock, 1_000, new Promise(() => {})).then(() => {
      over = true;
    });
    await clock.advance(999);
    assert.equal(over, false);
    await clock.advance(1);
    await waiting;
    assert.equal(over, true);
  });
});

describe('the system clock', () => {
  test('a wait longer than a timer can hold does not fire at once', async () => {
    let fired = false;
    const cancel = systemClock.after(2 ** 31 + 1000, () => {
      fired = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    cancel();
    assert.equal(fired, false);
  });
});

describe('waits in the background', () => {
  test('that are long end together, each as often as it was asked for, but those that were cancelled', async () => {
    const fired: string[] = [];
    const again = (): void => void fired.push('again');
    const begun = systemClock.monotonic();
    await new Promise<void>((resolve) => {
      // Waits in the background keep no process alive.
      const awake = setInterval(() => {}, 1000);
      systemClock.after(1000, again, true);
      systemClock.after(1000, () => fired.push('never'), true)();
      systemClock.after(1000, again, true);
      systemClock.after(
        1100,
        () => {
          clearInterval(awake);
          resolve();
        },
        true,
      );
    });
    assert.deepEqual(fired, ['again', 'again']);
    assert.ok(systemClock.monotonic() - begun >= 1099, 'never too early');
  });

  test('one that ends in the same moment as another can still be cancelled by it', async () => {
    const fired: string[] = [];
    await new Promise<void>((resolve) => {
      const awake = setInterval(() => {}, 1000);
      // Whatever the moment at which they begin, some of them end together.
      const cancels: (() => void)[] = [];
      for (let i = 0; i < 100; i++) {
        const cancel = systemClock.after(
          1000,
          () => {
            fired.push('one');
            for (const other of cancels) other();
          },
          true,
        );
        cancels.push(cancel);
      }
      systemClock.after(
        1200,
        () => {
          clearInterval(awake);
          resolve();
        },
        true,
      );
    });
    assert.deepEqual(fired, ['one']);
  });

  test('that are very long share timers though they begin at different times: a deadline of a day costs no more than others', (t) => {
    const timers = t.mock.method(globalThis, 'setTimeout');
    const day = 86_400_000;
    // As a message every 50 ms, for an hour, would ask.
    const cancels = Array.from({ length: 72_000 }, (_, i) => systemClock.after(day + i * 50, () => {}, true));
    for (const cancel of cancels) cancel();
    assert.ok(timers.mock.callCount() < 10, `${timers.mock.callCount()} timers`);
  });
});
