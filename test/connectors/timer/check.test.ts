import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timer } from '../../../connectors/timer/index.ts';

function findings(options: Readonly<Record<string, unknown>>): readonly string[] {
  const found: string[] = [];
  timer.definition.check?.(
    { immediately: false, ...options },
    (at, message, suggestion) => found.push(`${at}: ${message}${suggestion === undefined ? '' : ` [${suggestion}]`}`),
    'source',
  );
  return found;
}

test('an interval, and a cron expression with and without seconds and zone, are fine', () => {
  assert.deepEqual(findings({ every: 1000, immediately: true }), []);
  assert.deepEqual(findings({ cron: '0 2 * * *' }), []);
  assert.deepEqual(findings({ cron: '30 */5 8-18 * JAN,MAR MON-FRI', timezone: 'Europe/Berlin' }), []);
  assert.deepEqual(findings({ cron: '0 0 29 2 *' }), []);
});

test('exactly one of every and cron', () => {
  assert.match(findings({}).join(), /^: Give one of `every`/);
  assert.match(findings({ every: 1000, cron: '0 2 * * *' }).join(), /^cron: Give only one/);
  assert.match(findings({ every: 0 }).join(), /^every: .*at least 1ms/);
});

test('options that belong to the other kind are named', () => {
  assert.match(findings({ every: 1000, timezone: 'UTC' }).join(), /^timezone: .*belongs to `cron`/);
  assert.match(findings({ cron: '0 2 * * *', immediately: true }).join(), /^immediately: .*belongs to `every`/);
});

test('a bad cron expression says what is wrong with it, and shows a good one', () => {
  for (const [cron, what] of [
    ['61 * * * *', 'invalid value for minute: 61'],
    ['* * *', 'it has 3 fields instead of 5 or 6'],
    ['* * * * * * *', 'it has 7 fields instead of 5 or 6'],
    ['', 'it has 0 fields'],
    ['@daily', 'nicknames are not known'],
    ['0 2 * * NOPE', 'contains illegal characters'],
    ['0 0 30 2 *', 'it names a day that never comes'],
  ] as const) {
    const text = findings({ cron }).join();
    assert.ok(text.includes(what), `${cron}: ${text}`);
    assert.ok(text.includes('"0 2 * * *"'), text);
  }
});

test('a bad time zone is named, with the zone of that city', () => {
  assert.match(
    findings({ cron: '0 2 * * *', timezone: 'Mars/Base' }).join(),
    /"Mars\/Base" is not an IANA time zone; for example Europe\/Berlin/,
  );
  assert.match(findings({ cron: '0 2 * * *', timezone: 'New York' }).join(), /\[America\/New_York\]/);
});
