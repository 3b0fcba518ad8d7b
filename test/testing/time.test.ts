import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sleep } from '../../src/core/clock.ts';
import { DrivenClock } from '../../src/testing/clock.ts';
import { Driver, Endless } from '../../src/testing/driver.ts';
import { findings, passes, serving, testFile } from './support.ts';

describe('virtual time', () => {
  test('an hour of retries takes no hour', async (t) => {
    const since = performance.now();
    await passes(
      t,
      serving(
        '- call: { endpoint: far, http: { method: GET, path: /a } }',
        'retry: { maxAttempts: 9, delay: 20m, factor: 1, maxDelay: 20m, budget: off }',
        'deadline: 1d',
      ),
      `
seed: 7
tests:
  - name: patient
    send: { flow: main }
    endpoints: { far: [{ times: 8, fail: connection }, { reply: { body: at last } }] }
    expect: { reply: { body: at last }, calls: { far: { count: 9 } }, elapsed: { atLeast: 30m, atMost: 160m } }
`,
    );
    assert.ok(performance.now() - since < 60_000);
  });

  test('begins where the test says, and stands still while something runs', (t) =>
    passes(
      t,
      serving('- delay: { for: 45s }\n- transform: $now()'),
      `
now: 2026-02-03T04:05:06
tests:
  - { name: of the file, send: { flow: main }, expect: { reply: { body: "2026-02-03T04:05:51.000Z" } } }
  - name: of the test
    now: 2026-12-31T23:59:15+00:00
    send: { flow: main }
    expect: { reply: { body: "2027-01-01T00:00:00.000Z" } }
`,
    ));

  test('goes on until everything is done that an answer does not wait for', (t) =>
    passes(
      t,
      serving(
        '- wireTap: { steps: [ { delay: { for: 1h } }, { send: { endpoint: events, amqp: { routingKey: late } } } ] }',
      ),
      `
tests:
  - name: tapped
    send: { flow: main, body: 1 }
    endpoints: { events: [{ reply: {} }] }
    expect: { calls: { events: [{ amqp: { routingKey: late }, body: 1 }] }, elapsed: { atMost: 1ms } }
`,
    ));

  test('stands still while a script reads, and waits by itself', async (t) => {
    const found = await findings(t, {
      'integration.yaml': serving('- script: { module: ./read.ts, as: read }\n- transform: $read'),
      'read.ts': `import { readFile } from 'node:fs/promises';
export default async (): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return (await readFile(new URL(import.meta.url.split('?')[0] ?? ''), 'utf8')).length > 0 ? 1 : 0;
};
`,
      'integration.test.yaml': testFile(`
tests:
  - { name: read, send: { flow: main }, expect: { reply: { body: 1 }, elapsed: { atMost: 0ms } } }
  - { name: again, send: { flow: main }, expect: { reply: { body: 1 }, elapsed: { atMost: 0ms } } }
`),
    });
    assert.deepEqual(found, { read: [], again: [] });
  });

  test('a test that does not end says so, and what it waits for', async (t) => {
    const found = await findings(t, {
      'integration.yaml': `${serving('- send: { endpoint: events, amqp: { routingKey: a } }')}
  kept:
    from: { amqp: { url: amqp://localhost:9, queue: a } }
    deadLetter: { endpoint: events, amqp: { routingKey: dead } }
    steps: [ { fail: { code: no, kind: permanent, detail: no } } ]
`,
      'integration.test.yaml': testFile(`
tests:
  - name: never
    send: { flow: kept, body: 1 }
    endpoints: { events: [{ fail: connection }] }
    expect: { calls: {} }
`),
    });
    assert.match(found['never']?.[0] ?? '', /^The test does not end: .*; 1 of its messages has no answer yet/);
  });

  test('each test begins with the same chance: ids and jitter are the same in every run', async (t) => {
    const files = {
      'integration.yaml': serving("- transform: '[ $exchange.id, $uuid(), $random() ]'"),
      'integration.test.yaml': testFile(`
tests:
  - { name: a, send: { flow: main }, expect: { reply: { body: { x: 1 } } } }
  - { name: b, send: { flow: main }, expect: { reply: { body: { x: 1 } } } }
`),
    };
    const { a, b } = await findings(t, files);
    assert.equal(a?.length, 1);
    assert.deepEqual(a, b);
    assert.deepEqual(a, (await findings(t, files))['a']);
    const reseeded = { ...files, 'integration.test.yaml': `seed: 2\n${files['integration.test.yaml']}` };
    assert.notDeepEqual((await findings(t, reseeded))['a'], a);
  });
});

describe('the clock that is driven', () => {
  test('fires in order, those of the same moment as they were set; a cancelled one never', async () => {
    const clock = new DrivenClock(1000);
    const fired: string[] = [];
    const note = (what: string) => (): void => void fired.push(`${what} ${clock.now()}`);
    clock.after(20, note('b'));
    clock.after(10, note('a'));
    clock.after(20, note('c'));
    const cancel = clock.after(15, note('never'));
    clock.after(5, note('background'), true);
    cancel();
    cancel();
    assert.equal(clock.waits, true);
    await new Driver(clock).until(() => fired.length === 4);
    assert.deepEqual(fired, ['background 1005', 'a 1010', 'b 1020', 'c 1020']);
    assert.equal(clock.waits, false);
  });

  test('what a timer sets in motion settles before the next one fires', async () => {
    const clock = new DrivenClock(0);
    const seen: number[] = [];
    const work = async (): Promise<void> => {
      for (let round = 0; round < 3; round++) {
        await sleep(clock, 10);
        seen.push(clock.monotonic());
      }
    };
    await new Driver(clock).settled(work());
    assert.deepEqual(seen, [10, 20, 30]);
  });

  test('what goes on from turn to turn is waited for, also where something was due when it began', async () => {
    const clock = new DrivenClock(0);
    let late = false;
    clock.after(1000, () => {
      late = true;
    });
    const turns = async (): Promise<boolean> => {
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      return late;
    };
    setImmediate(() => {});
    assert.equal(await new Driver(clock).settled(turns()), false);
  });

  test('waits for what this machine does meanwhile', async () => {
    const { readFile } = await import('node:fs/promises');
    const clock = new DrivenClock(0);
    let late = false;
    clock.after(1000, () => {
      late = true;
    });
    const text = await new Driver(clock).settled(readFile(new URL(import.meta.url), 'utf8').then((all) => [all, late]));
    assert.deepEqual([String(text[0]).length > 0, text[1]], [true, false]);
  });

  test('what can never end is told', async () => {
    const clock = new DrivenClock(0);
    await assert.rejects(new Driver(clock).settled(new Promise(() => {})), Endless);
    const again = (): void => void clock.after(1, again);
    again();
    const bounds = { virtualMs: 1e9, timers: 50, realMs: 60_000 };
    await assert.rejects(new Driver(clock, bounds).settled(new Promise(() => {})), /more than 50 timers/);
  });
});
