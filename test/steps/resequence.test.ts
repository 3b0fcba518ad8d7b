import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { failure } from '../../src/errors.ts';
import { surviving } from '../support/dying-store.ts';
import { type Engine, freshStore, mainFlow, startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';

const ordered = (options: string): string =>
  mainFlow(
    `- resequence: { by: k, sequence: n, gapTimeout: 10s${options} }\n- call: { endpoint: a, body: "\${{ k }}\${{ n }}", as: done }`,
  );

const bodies = (engine: Engine): readonly unknown[] => engine.calls.map((call) => call.body);

async function send(engine: Engine, ...all: readonly (readonly [string, number])[]): Promise<void> {
  for (const [k, n] of all) await engine.send({ body: { k, n } });
  await quiet(engine);
}

/** What goes on by itself has gone on. */
async function quiet(engine: Engine): Promise<void> {
  for (let i = 0; i < 20; i++) await engine.clock.advance(0);
}

/** What went through the rest of the flow, once it has: that much, and no more. */
async function came(engine: Engine, expected: readonly unknown[]): Promise<void> {
  await eventually(`${expected.length} messages went on`, () => engine.calls.length >= expected.length);
  await quiet(engine);
  assert.deepEqual(bodies(engine), expected);
}

describe('resequence', () => {
  test('lets messages go on in the order of their numbers, and answers 202 at once', async (t) => {
    const engine = await startEngine(t, ordered(', start: 1'));
    const reply = await engine.send({ body: { k: 'x', n: 2 } });
    assert.deepEqual([reply.status, reply.body], [202, undefined]);
    await send(engine, ['x', 4], ['x', 3]);
    await came(engine, []);
    await send(engine, ['x', 1]);
    await came(engine, ['x1', 'x2', 'x3', 'x4']);
    await send(engine, ['x', 5]);
    assert.deepEqual(bodies(engine).at(-1), 'x5');
  });

  test('each stream has an order of its own', async (t) => {
    const engine = await startEngine(t, ordered(', start: 1'));
    await send(engine, ['x', 2], ['y', 1], ['y', 2], ['x', 1]);
    await eventually('all went on', () => engine.calls.length === 4);
    assert.deepEqual(bodies(engine).toSorted(), ['x1', 'x2', 'y1', 'y2']);
    const order = (k: string) => bodies(engine).filter((one) => String(one).startsWith(k));
    assert.deepEqual(
      [order('x'), order('y')],
      [
        ['x1', 'x2'],
        ['y1', 'y2'],
      ],
    );
  });

  test('what does not come in time is not waited for any longer', async (t) => {
    const engine = await startEngine(t, ordered(', start: 1'));
    await send(engine, ['x', 1], ['x', 3]);
    await engine.clock.advance(5000);
    await send(engine, ['x', 6], ['x', 4]);
    await engine.clock.advance(4999);
    await came(engine, ['x1']);
    await engine.clock.advance(1);
    await came(engine, ['x1', 'x3', 'x4']);
    await engine.clock.advance(5000);
    await came(engine, ['x1', 'x3', 'x4', 'x6']);
    const gaps = engine.log.lines.filter(({ message }) => message.startsWith('messages of a stream have not come'));
    assert.deepEqual(
      gaps.map(({ fields }) => fields['missing']),
      ['2', '5'],
    );
  });

  test('without `start` the lowest number of the first time is the first', async (t) => {
    const engine = await startEngine(t, ordered(''));
    await send(engine, ['x', 12], ['x', 11], ['x', -3]);
    await came(engine, []);
    await engine.clock.advance(10_000);
    await came(engine, ['x-3', 'x11', 'x12']);
  });

  test('a message whose turn is over is an error, or goes on out of order', async (t) => {
    const strict = await startEngine(t, ordered(', start: 5'));
    await send(strict, ['x', 5]);
    for (const n of [4, 5]) {
      await assert.rejects(strict.send({ body: { k: 'x', n } }), {
        code: 'late-message',
        kind: 'permanent',
        status: 409,
      });
    }
    await send(strict, ['x', 7]);
    await assert.rejects(strict.send({ body: { k: 'x', n: 7 } }), { code: 'late-message' });
    const lenient = await startEngine(t, ordered(', start: 5, late: pass'));
    await send(lenient, ['x', 5]);
    await send(lenient, ['x', 4], ['x', 6]);
    await came(lenient, ['x5', 'x4', 'x6']);
  });

  test('a message that comes again is neither late nor kept twice', async (t) => {
    const engine = await startEngine(t, ordered(', start: 1, id: n'));
    await send(engine, ['x', 2], ['x', 2], ['x', 1], ['x', 1], ['x', 2], ['x', 3]);
    await came(engine, ['x1', 'x2', 'x3']);
  });

  test('a number that is none is an error of the sender', async (t) => {
    const engine = await startEngine(t, ordered(', start: 1'));
    for (const n of [1.5, '1', null, undefined]) {
      await assert.rejects(engine.send({ body: { k: 'x', n } }), { code: 'expression', status: 400 });
    }
    await assert.rejects(engine.send({ body: { n: 1 } }), { code: 'no-key', status: 400 });
  });

  test('is bounded', async (t) => {
    const engine = await startEngine(t, ordered(', start: 1, maxMessages: 2'));
    await send(engine, ['x', 2], ['x', 3]);
    await assert.rejects(engine.send({ body: { k: 'x', n: 4 } }), {
      code: 'resequence-full',
      kind: 'rejected',
      status: 503,
    });
    await engine.clock.advance(10_000);
    await send(engine, ['x', 4]);
    await came(engine, ['x2', 'x3', 'x4']);
  });

  test('one that fails for a moment holds back its stream alone; one that fails for good is a dead letter and no gap', async (t) => {
    let left = 2;
    const engine = await startEngine(
      t,
      mainFlow(
        '- resequence: { by: k, sequence: n, gapTimeout: 10s, start: 1 }\n- call: { endpoint: a, body: "${{ k }}${{ n }}" }',
        {
          flow: 'concurrency: 5',
        },
      ),
      {
        far: ({ body }) => {
          if (body === 'x1' && left-- > 0) throw failure('timeout', { ms: 1 });
          if (body === 'x2') throw failure('validation', { detail: 'no' });
          return undefined;
        },
      },
    );
    await send(engine, ['x', 3], ['x', 2], ['x', 1], ['y', 1], ['y', 2]);
    await came(engine, ['x1', 'y1', 'y2']);
    await engine.clock.advance(60_000);
    await came(engine, ['x1', 'y1', 'y2', 'x1', 'x1', 'x2', 'x3']);
    const letters = (await (await engine.runtime?.deadLetters())?.list({ limit: 10 }))?.letters ?? [];
    assert.deepEqual(
      letters.map(({ code }) => code),
      ['validation'],
    );
  });

  test('headers and content type stay; a `respond` behind it is a mistake', async (t) => {
    const yaml = mainFlow(
      '- resequence: { sequence: "$number($headers.n)", gapTimeout: 1s, start: 1 }\n- call: { endpoint: a, headers: { x-n: "${{ $headers.n }}" } }',
    );
    const engine = await startEngine(t, yaml);
    await engine.send({ bytes: { text: '<b/>', contentType: 'application/xml' }, headers: { n: '2' } });
    await engine.send({ bytes: { text: '<a/>', contentType: 'application/xml' }, headers: { n: '1' } });
    await eventually('both went on', () => engine.calls.length === 2);
    assert.deepEqual(
      engine.calls.map(({ body, headers, contentType }) => [body, headers['x-n'], contentType]),
      [
        [{ a: '' }, '1', 'application/xml'],
        [{ b: '' }, '2', 'application/xml'],
      ],
    );
    await assert.rejects(
      startEngine(t, mainFlow('- resequence: { sequence: n, gapTimeout: 1s }\n- respond: {}')),
      /nobody-awaits: Nobody awaits this `respond`: what `resequence` lets go on later has no sender that waits/,
    );
  });

  test('leaves nothing behind but where its streams are, for a while', async (t) => {
    const store = freshStore();
    const engine = await startEngine(t, ordered(', start: 1, retain: 1h'), { store: surviving(store) });
    await send(engine, ['x', 2], ['x', 1]);
    const keys = (await store.list('resequence', { limit: 10 })).entries.map(({ key, ttl }) => [
      key.split(' ')[1],
      ttl !== undefined,
    ]);
    assert.deepEqual(keys, [['stream', true]]);
  });
});

/** What a resequencer should do, in a few lines: one stream, no store, no crashes. */
class Model {
  readonly order: number[] = [];
  readonly late: number[] = [];
  #waiting: { readonly n: number; readonly at: number }[] = [];
  #next = 1;
  #now = 0;
  readonly #gap: number;

  constructor(gap: number) {
    this.#gap = gap;
  }

  send(n: number): void {
    if (n < this.#next) {
      this.late.push(n);
      return;
    }
    this.#waiting.push({ n, at: this.#now });
    this.#waiting.sort((a, b) => a.n - b.n);
    this.#letGo();
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = Math.min(...this.#waiting.map(({ at }) => at + this.#gap));
      if (due > end) break;
      this.#now = Math.max(this.#now, due);
      this.#letGo();
    }
    this.#now = end;
  }

  #letGo(): void {
    for (;;) {
      const [first] = this.#waiting;
      if (!first) return;
      const oldest = Math.min(...this.#waiting.map(({ at }) => at));
      if (first.n !== this.#next && oldest + this.#gap > this.#now) return;
      this.#waiting.shift();
      this.order.push(first.n);
      this.#next = first.n + 1;
    }
  }
}

test('whatever the order, the losses, the failures and the restarts: each goes on once, in order, or is late', async (t) => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed);
    const draw = (most: number): number => Math.floor(random.next() * most);
    const gap = 1000 + draw(8000);
    const yaml = mainFlow(
      `- resequence: { sequence: n, gapTimeout: ${gap}ms, start: 1 }\n- call: { endpoint: a, body: "\${{ n }}", as: done }`,
      { flow: 'deadline: 1h' },
    );
    const model = new Model(gap);
    const store = freshStore();
    const order: number[] = [];
    const late: number[] = [];
    const far = ({ body }: { readonly body: unknown }): undefined => void order.push(Number(body));
    let engine = await startEngine(t, yaml, { store: surviving(store), far, seed: 1000 * seed });
    let elapsed = 0;
    // Nearly in order, some lost.
    const numbers = Array.from({ length: 50 }, (_, index) => index + 1)
      .filter(() => draw(12) > 0)
      .map((n) => ({ n, at: n + draw(8) }))
      .sort((a, b) => a.at - b.at);
    for (const { n } of numbers) {
      model.send(n);
      await engine.send({ body: { n } }).catch((error: Error) => {
        assert.match(error.message, /turn of this message is over/);
        late.push(n);
      });
      await quiet(engine);
      if (draw(3) === 0) {
        const ms = draw(2500);
        await engine.clock.advance(ms);
        elapsed += ms;
        model.advance(ms);
      }
      if (draw(15) === 0) {
        await engine.stop();
        engine = await startEngine(t, yaml, { store: surviving(store), far, seed: 1000 * seed + n });
        await engine.clock.advance(elapsed);
      }
    }
    await engine.clock.advance(600_000);
    model.advance(600_000);
    await eventually('all went on', () => order.length >= model.order.length);
    assert.deepEqual([order, late], [model.order, model.late], `seed ${seed}`);
    await engine.stop();
  }
});

describe('what waits in a resequencer', () => {
  test('is there after a restart, and its time goes on', async (t) => {
    const store = freshStore();
    const yaml = ordered(', start: 1');
    const first = await startEngine(t, yaml, { store: surviving(store) });
    await send(first, ['x', 1], ['x', 3], ['y', 2]);
    await first.stop();
    const second = await startEngine(t, yaml, { store: surviving(store), seed: 2 });
    await send(second, ['x', 2]);
    await came(second, ['x2', 'x3']);
    await second.clock.advance(10_000);
    await came(second, ['x2', 'x3', 'y2']);
  });

  test('goes on after a crash in the rest of the flow', async (t) => {
    const store = freshStore();
    const yaml = ordered(', start: 1');
    const first = await startEngine(t, yaml, { store: surviving(store), far: () => new Promise(() => {}) });
    await send(first, ['x', 1], ['x', 2]);
    await came(first, ['x1']);
    const second = await startEngine(t, yaml, { store, seed: 2 });
    await second.clock.advance(1000);
    await came(second, ['x1', 'x2']);
  });
});
