import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatDuration, formatSize, parseDuration, parseRate, parseSize } from '../../src/schema/units.ts';

const suggestionOf = (parsed: object): unknown => ('suggestion' in parsed ? parsed.suggestion : undefined);

describe('durations', () => {
  test('are milliseconds', () => {
    for (const [text, ms] of [
      ['0s', 0],
      ['500ms', 500],
      ['5s', 5_000],
      ['1.5s', 1_500],
      ['2m', 120_000],
      ['1h', 3_600_000],
      ['7d', 604_800_000],
    ] as const) {
      assert.equal(parseDuration(text).value, ms, text);
    }
  });

  test('that are none say what to write where that can be guessed', () => {
    for (const [text, meant] of [
      ['5 s', '5s'],
      ['5sec', '5s'],
      ['10 Minutes', '10m'],
      ['1H', '1h'],
      ['5', '5s'],
      ['5000', '5000ms'],
      ['0', undefined],
      ['', undefined],
      ['-5s', undefined],
      ['PT5S', undefined],
      ['1h30m', undefined],
      ['0.5ms', undefined],
      ['99999d', undefined],
      ['1e3s', undefined],
    ] as const) {
      const parsed = parseDuration(text);
      assert.equal(parsed.value, undefined, text);
      assert.equal(suggestionOf(parsed), meant, text);
    }
  });

  test('are written as they are read', () => {
    for (const ms of [0, 1, 999, 1_000, 1_500, 60_000, 90_000, 3_600_000, 86_400_000, 90_061_001]) {
      assert.equal(parseDuration(formatDuration(ms)).value, ms);
    }
  });
});

describe('sizes', () => {
  test('are bytes, a kilobyte has 1024', () => {
    assert.deepEqual(
      ['512b', '64kb', '1mb', '1.5mb', '2gb'].map((text) => parseSize(text).value),
      [512, 65_536, 1_048_576, 1_572_864, 2_147_483_648],
    );
  });

  test('that are none say what to write where that can be guessed', () => {
    assert.deepEqual(
      ['1 MB', '1M', '1MiB', '1000', '0.3kb', '9999999999gb'].map((text) => suggestionOf(parseSize(text))),
      ['1mb', '1mb', '1mb', undefined, undefined, undefined],
    );
    for (const text of ['1 MB', '1000', '0.3kb', '9999999999gb']) assert.equal(parseSize(text).value, undefined, text);
  });

  test('are written as they are read', () => {
    for (const bytes of [0, 1, 1023, 1024, 1500, 1_048_576, 10 * 1_048_576]) {
      assert.equal(parseSize(formatSize(bytes)).value, bytes);
    }
  });
});

test('rates are counts per time', () => {
  assert.deepEqual(parseRate('10/s').value, { count: 10, per: 1_000 });
  assert.deepEqual(parseRate('600/m').value, { count: 600, per: 60_000 });
  for (const [text, meant] of [
    ['10 / s', '10/s'],
    ['10 per second', '10/s'],
    ['0/s', undefined],
    ['10', undefined],
    ['1.5/s', undefined],
  ] as const) {
    const parsed = parseRate(text);
    assert.equal(parsed.value, undefined, text);
    assert.equal(suggestionOf(parsed), meant, text);
  }
});
