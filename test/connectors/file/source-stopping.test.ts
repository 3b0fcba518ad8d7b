import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failure } from '#sdk';
import { eventually } from '../../support/eventually.ts';
import { plainCodec } from '../../support/plain-context.ts';
import { transient } from './support/failures.ts';
import { Inbox } from './support/inbox.ts';

describe('stopping', () => {
  test('stop takes no further file; what is under way is finished and put away; close waits for it', async (t) => {
    const inbox = await Inbox.make(t);
    const flow = inbox.flow();
    await inbox.put('1.txt');
    await inbox.put('2.txt');
    const { source } = await inbox.source({}, { deliver: flow.deliver });
    await flow.given(1);
    await source.stop();
    await source.stop();
    let closed = false;
    const closing = source.close().then(() => {
      closed = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(closed, false);
    flow.at(0).resolve();
    await closing;
    assert.deepEqual(await inbox.list('.done'), ['1.txt']);
    assert.deepEqual(await inbox.waiting(), ['2.txt']);
    assert.deepEqual(await inbox.list('.claimed'), []);
  });

  test('a file that was claimed when the stop came, and not begun, is not begun any more', async (t) => {
    const inbox = await Inbox.make(t);
    for (let nth = 0; nth < 200; nth++) await inbox.put(`${nth}.txt`);
    const flow = inbox.flow();
    let atStop: number | undefined;
    // Told to stop in the middle of one: others are just being read.
    const deliver: typeof flow.deliver = async (message) => {
      void flow.deliver(message);
      if (flow.deliveries.length < 30 || atStop !== undefined) return undefined;
      void source.stop();
      atStop = flow.deliveries.length;
      return undefined;
    };
    const { source } = await inbox.source({}, { deliver, concurrency: 20 });
    await flow.given(30);
    await source.close();
    assert.deepEqual([flow.deliveries.length, (await inbox.list('.done')).length], [atStop, atStop]);
    const next = inbox.flow();
    await inbox.source({}, { deliver: next.record, concurrency: 20 });
    await eventually('the others are done', async () => (await inbox.list('.done')).length === 200);
    assert.deepEqual(new Set(next.deliveries.map(({ message }) => message.origin.attempt)), new Set([1]));
    assert.equal(next.deliveries.length, 200 - (atStop ?? 0));
  });

  test('a file that was given up is free at once, for the next process, and the attempt does not count', async (t) => {
    const inbox = await Inbox.make(t);
    const flow = inbox.flow();
    await inbox.put('a.txt', 'content');
    const { source } = await inbox.source({ maxAttempts: 1 }, { deliver: flow.deliver });
    await flow.given(1);
    await source.stop();
    flow.at(0).reject(failure('aborted', { detail: 'the integration is stopping' }));
    await source.close();
    const next = inbox.flow();
    await inbox.source({ maxAttempts: 1 }, { deliver: next.deliver });
    await next.given(1);
    assert.equal(String(await next.at(0).message.body.bytes(plainCodec)), 'content');
    assert.equal(next.at(0).message.origin.attempt, 1);
    next.at(0).resolve();
    await eventually('it is done', async () => (await inbox.list('.done')).length === 1);
  });

  test('a file that waits for its next attempt is let go at once, and its attempts stay counted', async (t) => {
    const inbox = await Inbox.make(t);
    await inbox.put('a.txt');
    const deliver = async () => {
      throw transient();
    };
    const { source, context } = await inbox.source({ retryDelay: 3_600_000 }, { deliver });
    await eventually('it waits', () => context.log.lines.some((line) => line.level === 'warn'));
    await source.stop();
    await source.close();
    const next = inbox.flow();
    await inbox.source({}, { deliver: next.deliver });
    await next.given(1);
    assert.equal(next.at(0).message.origin.attempt, 2);
    next.at(0).resolve();
  });

  test('reload: the old and the new source never work on the same file, and none is left behind', async (t) => {
    const inbox = await Inbox.make(t);
    const flow = inbox.flow();
    for (let i = 0; i < 40; i++) await inbox.put(`${i}.txt`);
    const old = await inbox.source({}, { deliver: flow.record, concurrency: 2 });
    await flow.given(5);
    await inbox.source({}, { deliver: flow.record, concurrency: 2 });
    await old.source.stop();
    await old.source.close();
    await eventually('all are done', async () => (await inbox.list('.done')).length === 40);
    assert.equal(flow.deliveries.length, 40);
    assert.equal(new Set(flow.names).size, 40);
  });
});
