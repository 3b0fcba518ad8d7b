import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failure } from '../../src/errors.ts';
import { type Answer, mainFlow, startEngine } from '../support/engine.ts';
import { get, start } from './support/cache.ts';

describe('many at once', () => {
  /** Answers when told to. */
  const slow = (): { far: () => Promise<Answer>; answer(value: Answer): void; readonly waiting: number } => {
    const waiting: ((value: Answer) => void)[] = [];
    return {
      far: () => new Promise((resolve) => void waiting.push(resolve)),
      answer: (value) => {
        for (const resolve of waiting.splice(0)) resolve(value);
      },
      get waiting() {
        return waiting.length;
      },
    };
  };
  const turn = (): Promise<void> => new Promise(setImmediate);

  test('one calls', async (t) => {
    const service = slow();
    const engine = await start(t, 'ttl: 1h', service.far as never);
    const all = Array.from({ length: 50 }, () => get(engine));
    await turn();
    assert.equal(service.waiting, 1);
    service.answer({ body: { n: 1 } });
    assert.deepEqual(await Promise.all(all), Array(50).fill(1));
    assert.equal(engine.calls.length, 1);
  });

  test('an answer for one is nobody else’s: the others call themselves, and those after them do not wait', async (t) => {
    const service = slow();
    const engine = await start(t, 'ttl: 1h', service.far as never);
    const all = Array.from({ length: 5 }, () => get(engine));
    await turn();
    service.answer({ headers: { 'cache-control': 'private' }, body: { n: 1 } });
    await turn();
    assert.equal(service.waiting, 4);
    const later = [get(engine), get(engine)];
    await turn();
    assert.equal(service.waiting, 6);
    service.answer({ headers: { 'cache-control': 'private' }, body: { n: 2 } });
    assert.deepEqual(await Promise.all([...all, ...later]), [1, 2, 2, 2, 2, 2, 2]);
  });

  test('an error is everybody’s: nobody calls a service that is down once more for each of them', async (t) => {
    const engine = await start(t, 'ttl: 1h');
    engine.far = async () => {
      await turn();
      throw failure('connection', { endpoint: 'a', detail: 'refused' });
    };
    const all = await Promise.allSettled([1, 2, 3].map(() => get(engine)));
    assert.deepEqual(
      all.map((one) => one.status === 'rejected' && one.reason.code),
      Array(3).fill('connection'),
    );
    assert.equal(engine.calls.length, 1);
  });
});

test('who waits for an answer that varies by what they do not share calls itself', async (t) => {
  const engine = await startEngine(
    t,
    mainFlow('- call: { endpoint: a, test: { path: get }, headers: { x-tenant: "${{ $headers.tenant }}" } }', {
      policies: 'cache: { ttl: 1h, headers: [accept] }',
    }),
    {
      far: async ({ headers }) => {
        await new Promise(setImmediate);
        return { headers: { vary: 'x-tenant' }, body: headers['x-tenant'] };
      },
    },
  );
  const tenants = ['one', 'two', 'one'];
  const replies = await Promise.all(tenants.map((tenant) => engine.send({ headers: { tenant } })));
  assert.deepEqual(
    replies.map((reply) => reply.body),
    tenants,
  );
  assert.equal(engine.calls.length, 2);
});
