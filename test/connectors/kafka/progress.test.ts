import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Progress } from '../../../connectors/kafka/progress.ts';
import { between, pick, type Trial, tryCommands } from '../../support/commands.ts';

test('what may be committed is the lowest record that is not done, whatever the order: against a model', async () => {
  await tryCommands(
    (): Trial => {
      const start = 10n;
      const progress = new Progress(start);
      // The model: every offset that was begun, and whether it is done.
      const begun = new Map<bigint, boolean>();
      let next = start;
      const open = (): readonly bigint[] => [...begun].filter(([, done]) => !done).map(([offset]) => offset);
      return {
        next(random) {
          const waiting = open();
          if (waiting.length > 0 && random.next() < 0.5) {
            const offset = pick(random, waiting);
            return {
              name: `done ${offset}`,
              run: () => {
                begun.set(offset, true);
                progress.done(offset);
              },
            };
          }
          const gap = BigInt(random.next() < 0.2 ? between(random, 1, 5) : 0);
          if (random.next() < 0.2) {
            return {
              name: `skip ${gap}`,
              run: () => {
                next += gap;
                progress.skipTo(next);
              },
            };
          }
          return {
            name: `begin ${next + gap}`,
            run: () => {
              begun.set(next + gap, false);
              progress.begin(next + gap);
              next += gap + 1n;
            },
          };
        },
        check() {
          const lowest = open().reduce((least, one) => (one < least ? one : least), next);
          assert.equal(progress.committable, lowest);
          assert.equal(progress.unfinished, open().length);
        },
      };
    },
    { trials: 100, length: 200 },
  );
});

test('what is done twice, or was never begun, changes nothing', () => {
  const progress = new Progress(0n);
  progress.begin(0n);
  progress.done(5n);
  progress.done(0n);
  progress.done(0n);
  assert.equal(progress.committable, 1n);
  assert.equal(progress.unfinished, 0);
});

test('thousands of records that end in their order cost no memory', () => {
  const progress = new Progress(0n);
  for (let offset = 0n; offset < 100_000n; offset++) {
    progress.begin(offset);
    if (offset >= 20n) progress.done(offset - 20n);
  }
  assert.equal(progress.committable, 99_980n);
  assert.equal(progress.unfinished, 20);
});
