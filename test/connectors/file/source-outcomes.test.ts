import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { failure } from '#sdk';
import { VirtualClock } from '../../../src/core/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { permanent, transient } from './support/failures.ts';
import { Inbox } from './support/inbox.ts';

describe('outcomes', () => {
  test('a transient error is tried again, with the attempt counted, until it works', async (t) => {
    const inbox = await Inbox.make(t);
    const flow = inbox.flow();
    await inbox.put('a.txt');
    const { context } = await inbox.source({}, { deliver: flow.deliver });
    for (const attempt of [0, 1]) {
      await flow.given(attempt + 1);
      flow.at(attempt).reject(transient());
    }
    await flow.given(3);
    flow.at(2).resolve();
    await eventually('it is done', async () => (await inbox.list('.done')).length === 1);
    assert.deepEqual(
      flow.deliveries.map((one) => one.message.origin.attempt),
      [1, 2, 3],
    );
    const warnings = context.log.lines.filter((line) => line.level === 'warn');
    assert.equal(warnings.length, 2);
    assert.equal(warnings[0]?.fields['code'], 'connection');
    assert.equal(warnings[0]?.fields['file'], 'a.txt');
  });

  test('after `maxAttempts` it fails for good, with the reason beside it', async (t) => {
    const inbox = await Inbox.make(t);
    await inbox.put('a.json', '{}');
    const deliver = async () => {
      throw transient();
    };
    const { context } = await inbox.source({ maxAttempts: 3 }, { deliver, name: 'orders' });
    await eventually('it failed', async () => (await inbox.list('.failed')).length === 2);
    assert.deepEqual(await inbox.list('.failed'), ['a.json', 'a.json.error.json']);
    const why = JSON.parse(await inbox.read('.failed', 'a.json.error.json')) as Record<string, unknown>;
    assert.deepEqual(
      { ...why, failedAt: typeof why['failedAt'] },
      {
        file: 'a.json',
        failedAt: 'string',
        integration: 'test',
        flow: 'orders',
        attempts: 3,
        code: 'connection',
        kind: 'transient',
        outcome: 'none',
        message: 'stock could not be reached: refused',
      },
    );
    assert.equal(context.log.lines.filter((line) => line.level === 'error').length, 1);
  });

  test('a permanent error fails at once, and the next file goes on', async (t) => {
    const inbox = await Inbox.make(t);
    const flow = inbox.flow();
    await inbox.put('bad.json', '{}');
    await inbox.put('good.json', '{}');
    await inbox.source({}, { deliver: flow.deliver });
    await flow.given(1);
    const error = permanent();
    error.place = 'orders/steps/0 validate';
    flow.at(0).reject(error);
    await flow.given(2);
    flow.at(1).resolve();
    await eventually('it is done', async () => (await inbox.list('.done')).length === 1);
    const why = JSON.parse(await inbox.read('.failed', 'bad.json.error.json')) as Record<string, unknown>;
    assert.equal(why['place'], 'orders/steps/0 validate');
    assert.deepEqual(why['findings'], ['/sku is missing']);
    assert.equal(why['attempts'], 1);
  });

  test('being rejected before anything was done is back-pressure: it waits, and no attempt is used up', async (t) => {
    const inbox = await Inbox.make(t);
    await inbox.put('a.txt');
    const attempts: number[] = [];
    const deliver = async ({ origin }: { origin: { attempt: number } }) => {
      attempts.push(origin.attempt);
      if (attempts.length < 8) throw failure('channel-full', { channel: 'jobs', capacity: 1 });
      return undefined;
    };
    await inbox.source({ maxAttempts: 2 }, { deliver });
    await eventually('it is done', async () => (await inbox.list('.done')).length === 1);
    assert.deepEqual(attempts, Array(8).fill(1));
  });

  test('the delay is jittered up to a limit that doubles from `retryDelay` to a minute', async (t) => {
    const inbox = await Inbox.make(t);
    await inbox.put('a.txt');
    const clock = new VirtualClock();
    const deliver = async () => {
      throw transient();
    };
    const { context } = await inbox.source({ maxAttempts: 10, retryDelay: 1_000 }, { clock, deliver });
    const waits = (): readonly number[] =>
      context.log.lines.filter((line) => line.level === 'warn').map((line) => Number(line.fields['ms']));
    for (let tries = 1; tries < 10; tries++) {
      await eventually(`warning ${tries}`, () => waits().length === tries);
      const limit = Math.min(60_000, 1_000 * 2 ** (tries - 1));
      const ms = waits()[tries - 1] ?? -1;
      assert.ok(ms >= 0 && ms <= limit, `${ms} is not within ${limit}`);
      await clock.advance(ms);
    }
    await eventually('it failed', async () => (await inbox.list('.failed')).length === 2);
    assert.equal(new Set(waits()).size, 9, 'no two waits are alike');
  });

  test('a file that cannot be put away is not worked on again, and holds the others back until it can', async (t) => {
    const inbox = await Inbox.make(t);
    const flow = inbox.flow();
    await inbox.put('1.txt');
    await inbox.put('2.txt');
    const { context } = await inbox.source({}, { deliver: flow.deliver });
    await flow.given(1);
    // A file where the folder should be: permissions would not stop a test that is run by root.
    await rm(join(inbox.path, '.done'), { recursive: true });
    await inbox.put('.done', 'in the way');
    flow.at(0).resolve();
    const error = () => context.log.lines.find((line) => line.level === 'error');
    await eventually('it is said', () => error() !== undefined);
    assert.match(String(error()?.fields['detail']), /EEXIST|ENOTDIR/);
    assert.equal(flow.deliveries.length, 1);
    await rm(join(inbox.path, '.done'));
    await flow.given(2);
    flow.at(1).resolve();
    await eventually('both are done', async () => (await inbox.list('.done')).length === 2);
    assert.deepEqual(flow.names, ['1.txt', '2.txt']);
  });

  test('a claimed file that somebody removes is let go', async (t) => {
    const inbox = await Inbox.make(t);
    const flow = inbox.flow();
    await inbox.put('a.txt');
    const { context } = await inbox.source({}, { deliver: flow.deliver });
    await flow.given(1);
    await rm(join(inbox.path, '.claimed'), { recursive: true });
    flow.at(0).resolve();
    await eventually('it is said', () => context.log.lines.some((line) => /claimed file is gone/.test(line.message)));
    await inbox.put('b.txt');
    await flow.given(2);
    flow.at(1).resolve();
    await eventually('the next one is done', async () => (await inbox.list('.done')).includes('b.txt'));
  });
});
