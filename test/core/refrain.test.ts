import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../src/core/clock.ts';
import { Refrain } from '../../src/core/refrain.ts';
import { recordingLog } from '../support/plain-context.ts';

const made = (over?: string) => {
  const clock = new VirtualClock();
  const log = recordingLog();
  const line = { level: 'warn', message: 'it failed', ...(over === undefined ? {} : { over }) } as const;
  const refrain = new Refrain(line, { clock, log });
  const again = (code: string, n: number): void => refrain.again(code, { flow: 'f', code }, { n });
  const lines = (): readonly Readonly<Record<string, unknown>>[] =>
    log.lines.filter(({ level }) => level !== 'debug').map(({ message, fields }) => ({ message, ...fields }));
  return { clock, log, refrain, again, lines };
};

test('what happens a thousand times a second is one line, and a count a minute', async () => {
  const { clock, log, again, lines } = made();
  for (let second = 0; second < 150; second++) {
    for (let n = 0; n < 1000; n++) again('connection', second * 1000 + n);
    await clock.advance(1000);
  }
  await clock.advance(600_000);
  const line = { message: 'it failed', flow: 'f', code: 'connection' };
  assert.deepEqual(lines(), [
    { ...line, n: 0 },
    { ...line, n: 59_999, count: 59_999 },
    { ...line, n: 119_999, count: 60_000 },
    { ...line, n: 149_999, count: 30_000 },
  ]);
  assert.equal(log.lines.filter(({ level }) => level === 'debug').length, 149_999, 'each is there at debug');
  again('connection', 1);
  assert.equal(lines().length, 5, 'after a while it is news again');
});

test('another reason is said at once', async () => {
  const { clock, again, lines } = made();
  again('connection', 1);
  again('timeout', 2);
  again('connection', 3);
  await clock.advance(1000);
  assert.deepEqual(
    lines().map((line) => line['n']),
    [1, 2],
  );
});

test('that it is over is said once, when it has not happened for a while', async () => {
  const { clock, refrain, again, lines } = made('it works again');
  for (let second = 0; second < 30; second++) {
    again('connection', second);
    refrain.well();
    await clock.advance(1000);
  }
  assert.deepEqual(
    lines(),
    [{ message: 'it failed', flow: 'f', code: 'connection', n: 0 }],
    'not while some get through',
  );
  refrain.well();
  await clock.advance(30_000);
  refrain.well();
  await clock.advance(600_000);
  assert.deepEqual(lines().slice(1), [
    { message: 'it works again', flow: 'f', code: 'connection', count: 30, ms: 29_000 },
  ]);
});

test('reasons that come out of messages are bounded too', () => {
  const { again, lines } = made();
  for (let n = 0; n < 10_000; n++) again(`code-${n}`, n);
  assert.ok(lines().length < 60, `${lines().length} lines`);
});

test('closed, it says what is not said yet, and keeps no timer', () => {
  const { clock, refrain, again, lines } = made('it works again');
  again('connection', 1);
  again('connection', 2);
  refrain.well();
  refrain.close();
  assert.deepEqual(
    lines().map((line) => line['count']),
    [undefined, 1],
  );
  assert.equal(clock.next, undefined);
});
