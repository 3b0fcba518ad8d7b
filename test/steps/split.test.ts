import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Failure, failure, type KnownCode } from '../../src/errors.ts';
import { mainFlow, startEngine } from '../support/engine.ts';

describe('forEach', () => {
  test('runs its steps for each element and collects in the order of the list', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        `- forEach: { items: lines, as: line, parallel: 3, steps: [ { call: { endpoint: a, body: "\${{ $line }}" } } ], into: priced }\n- transform: '{ "id": id, "priced": $priced }'`,
      ),
      {
        far: async ({ body }) => {
          // The first is the last to be done.
          for (let i = 0; i < 5 - Number(body); i++) await Promise.resolve();
          return { body: Number(body) * 10 };
        },
      },
    );
    assert.deepEqual((await engine.send({ body: { id: 'x', lines: [1, 2, 3] } })).body, {
      id: 'x',
      priced: [10, 20, 30],
    });
  });

  test('without `into` the list is the body; `collect` says what a round yields', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        `- forEach: { items: $, steps: [ { set: { variables: { twice: "\${{ $ * 2 }}" } } } ], collect: '{ "n": $, "twice": $twice }' }`,
      ),
    );
    assert.deepEqual((await engine.send({ body: [1, 2] })).body, [
      { n: 1, twice: 2 },
      { n: 2, twice: 4 },
    ]);
  });

  test('a single value is a list of one, nothing an empty list', async (t) => {
    const engine = await startEngine(t, mainFlow(`- forEach: { items: line, steps: [ { transform: $ & "!" } ] }`));
    assert.deepEqual((await engine.send({ body: { line: 'a' } })).body, ['a!']);
    assert.deepEqual((await engine.send({ body: {} })).body, []);
  });

  test('never more rounds at once than `parallel`', async (t) => {
    let running = 0;
    let most = 0;
    const engine = await startEngine(
      t,
      mainFlow('- forEach: { items: $, parallel: 2, steps: [ { call: { endpoint: a } } ] }'),
      {
        far: async () => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setImmediate(resolve));
          running--;
          return undefined;
        },
      },
    );
    await engine.send({ body: [1, 2, 3, 4, 5, 6, 7] });
    assert.equal(most, 2);
    assert.equal(engine.calls.length, 7);
  });

  test('the first error ends the message and cancels the rounds beside it', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow('- forEach: { items: $, parallel: 2, steps: [ { call: { endpoint: a } } ] }'),
      {
        far: async ({ body }) => {
          if (body === 2) throw failure('validation', { detail: 'two' });
          return new Promise(() => {});
        },
      },
    );
    await assert.rejects(engine.send({ body: [1, 2, 3] }), {
      code: 'validation',
      place: 'main/steps/0/forEach/steps/0 call',
    });
    assert.equal(engine.calls.length, 2);
    assert.equal(engine.calls[0]?.signal.aborted, true);
  });

  test('`onError: skip` leaves the round out and says so', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow('- forEach: { items: $, onError: skip, steps: [ { when: "$ = 2", fail: { code: bad } } ] }'),
    );
    assert.deepEqual((await engine.send({ body: [1, 2, 3] })).body, [1, 3]);
    const warned = engine.log.lines.filter((line) => line.level === 'warn');
    assert.deepEqual(
      warned.map((line) => [line.fields['index'], line.fields['code']]),
      [[1, 'bad']],
    );
  });

  test('filter in a round ends that round only', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow('- forEach: { items: $, steps: [ { filter: { when: "$ > 1" } } ] }\n- call: { endpoint: a, as: x }'),
    );
    assert.deepEqual((await engine.send({ body: [1, 2, 3] })).body, [2, 3]);
    assert.deepEqual(engine.called, ['a']);
  });
});

describe('scatterGather', () => {
  const both = `
- scatterGather:
    branches:
      stock: [ { call: { endpoint: a } } ]
      price: [ { call: { endpoint: b } } ]
    as: found
- transform: $found`;

  test('gathers what each branch yields, under its name', async (t) => {
    const engine = await startEngine(t, mainFlow(both), { far: ({ endpoint }) => ({ body: { from: endpoint } }) });
    assert.deepEqual((await engine.send({ body: {} })).body, { stock: { from: 'a' }, price: { from: 'b' } });
  });

  test('both run at the same time', async (t) => {
    let waiting = 0;
    let release = (): void => {};
    const all = new Promise<void>((resolve) => {
      release = resolve;
    });
    const engine = await startEngine(t, mainFlow(both), {
      far: async () => {
        if (++waiting === 2) release();
        await all;
        return { body: 1 };
      },
    });
    assert.deepEqual((await engine.send({ body: {} })).body, { stock: 1, price: 1 });
  });

  test('a branch that fails ends the message with its own error; the other is cancelled', async (t) => {
    const engine = await startEngine(t, mainFlow(both), {
      far: ({ endpoint }) => {
        if (endpoint === 'b') throw failure('timeout', { endpoint, ms: 5 });
        return new Promise(() => {});
      },
    });
    await assert.rejects(engine.send({ body: {} }), { code: 'timeout' });
    assert.equal(engine.calls.find((one) => one.endpoint === 'a')?.signal.aborted, true);
  });

  const three = (require: string, more = ''): string =>
    mainFlow(`
- scatterGather:
    branches:
      one: [ { call: { endpoint: a, test: { path: "1" } } } ]
      two: [ { call: { endpoint: a, test: { path: "2" } } } ]
      three: [ { call: { endpoint: a, test: { path: "3" } } } ]
    require: ${require}${more}
- transform: '{ "got": $, "failed": $failed }'`);

  test('`require: any` is content with the first, and says why others are missing', async (t) => {
    const engine = await startEngine(t, three('any'), {
      far: async ({ operation }) => {
        if (operation['path'] === '1') throw failure('connection', { endpoint: 'a', detail: 'refused' });
        if (operation['path'] === '2') return new Promise(() => {});
        await new Promise((resolve) => setImmediate(resolve));
        return { body: 'third' };
      },
    });
    const { body } = await engine.send({ body: {} });
    assert.deepEqual((body as { got: unknown }).got, { three: 'third' });
    assert.equal((body as { failed: { one: { code: string } } }).failed.one.code, 'connection');
    assert.equal(engine.calls[1]?.signal.aborted, true);
  });

  test('`require: none` waits for all, and never fails', async (t) => {
    const engine = await startEngine(t, three('none', '\n    deadline: 1s'), {
      far: ({ operation }) => {
        if (operation['path'] === '1') throw failure('connection', { endpoint: 'a', detail: 'refused' });
        return operation['path'] === '2' ? new Promise(() => {}) : { body: 'third' };
      },
    });
    const sent = engine.send({ body: {} });
    await engine.clock.advance(1000);
    const { got, failed } = (await sent).body as { got: object; failed: Record<string, { code: string }> };
    assert.deepEqual([got, failed['one']?.code, failed['two']?.code], [{ three: 'third' }, 'connection', 'deadline']);
    const allFailed = await startEngine(t, three('none'), {
      far: () => {
        throw failure('connection', { endpoint: 'a' });
      },
    });
    assert.deepEqual(((await allFailed.send({ body: {} })).body as { got: object }).got, {});
  });

  test('`require: 2` fails as soon as two can no longer succeed, with every reason', async (t) => {
    const engine = await startEngine(t, three('2'), {
      far: async ({ operation }) => {
        if (operation['path'] === '3') return new Promise(() => {});
        throw failure('connection', { endpoint: 'a', detail: `refused ${operation['path']}` });
      },
    });
    await assert.rejects(engine.send({ body: {} }), (error: Error & { code: string }) => {
      assert.equal(error.code, 'branches');
      assert.match(error.message, /0 of 3 succeeded, 2 were required: one: .*refused 1.*two: .*refused 2/);
      return true;
    });
  });

  test('too few that succeed is transient when enough of them may succeed later, and tells of each', async (t) => {
    const failing = (...codes: readonly (KnownCode | undefined)[]) =>
      startEngine(t, three('2'), {
        far: ({ operation }) => {
          const code = codes[Number(operation['path']) - 1];
          if (code) throw failure(code, { endpoint: 'a' });
          return { body: 'fine' };
        },
      });
    const passing = await failing('validation', 'connection');
    await assert.rejects(passing.send({ body: {} }), { code: 'branches', kind: 'transient', status: 502 });
    const lasting = await failing('validation', undefined, 'validation');
    await assert.rejects(lasting.send({ body: {} }), (error: Failure) => {
      assert.equal(error.kind, 'permanent');
      const { one, three, ...others } = error.facts['failed'] as Readonly<Record<string, { readonly code: string }>>;
      assert.deepEqual([one?.code, three?.code, others], ['validation', 'validation', {}]);
      return true;
    });
  });

  test('late branches have failed when its deadline passes', async (t) => {
    const engine = await startEngine(t, three('any', '\n    deadline: 1s'), { far: () => new Promise(() => {}) });
    const sent = assert.rejects(engine.send({ body: {} }), { code: 'branches' });
    await engine.clock.advance(1000);
    await sent;
  });

  test('is not done before a cancelled branch has cleaned up', async (t) => {
    const seen: string[] = [];
    const yaml = mainFlow(`
- scatterGather:
    branches:
      fast: [ { call: { endpoint: a } } ]
      slow: [ { try: { steps: [ { call: { endpoint: b } } ], finally: [ { call: { endpoint: b, test: { path: clean } } } ] } } ]
    require: any
- call: { endpoint: a, test: { path: after } }`);
    const engine = await startEngine(t, yaml, {
      far: ({ endpoint, operation }) => {
        seen.push(`${endpoint} ${operation['path'] ?? ''}`);
        return endpoint === 'b' && operation['path'] === undefined ? new Promise(() => {}) : undefined;
      },
    });
    await engine.send({ body: {} });
    assert.deepEqual(seen, ['a ', 'b ', 'b clean', 'a after']);
  });
});

describe('recipientList', () => {
  const yaml = mainFlow(`- recipientList: { endpoints: to, as: answers }\n- transform: $answers`);

  test('calls the endpoints that the message names', async (t) => {
    const engine = await startEngine(t, yaml, { far: ({ endpoint }) => ({ body: `from ${endpoint}` }) });
    assert.deepEqual((await engine.send({ body: { to: ['a', 'b'] } })).body, { a: 'from a', b: 'from b' });
    assert.deepEqual((await engine.send({ body: { to: 'b' } })).body, { b: 'from b' });
  });

  test('a message cannot name anything but an endpoint of the file', async (t) => {
    const engine = await startEngine(t, yaml);
    for (const to of [['a', 'http://evil.example'], ['constructor'], [{ url: 'x' }], ['a', 'out']]) {
      await assert.rejects(engine.send({ body: { to } }), { code: 'unknown-endpoint', kind: 'permanent' });
    }
    assert.deepEqual(engine.calls, []);
  });

  test('an empty list is no call', async (t) => {
    const engine = await startEngine(t, yaml);
    assert.deepEqual((await engine.send({ body: { to: [] } })).body, {});
  });
});

describe('wireTap', () => {
  test('its copy does not hold the flow up, its failure is not felt', async (t) => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const engine = await startEngine(
      t,
      mainFlow(
        `- wireTap: { steps: [ { transform: '{ "tapped": n }' }, { call: { endpoint: a } } ] }\n- transform: n + 1`,
      ),
      {
        far: async () => {
          await held;
          throw failure('connection', { endpoint: 'a', detail: 'down' });
        },
      },
    );
    assert.equal((await engine.send({ body: { n: 1 } })).body, 2);
    release();
    await engine.clock.advance(0);
    assert.deepEqual(engine.calls[0]?.body, { tapped: 1 });
    assert.equal(engine.log.lines.filter((line) => line.message === 'a wire tap failed').length, 1);
  });

  test('is bounded: copies beyond its capacity are dropped and counted in the log', async (t) => {
    const engine = await startEngine(t, mainFlow('- wireTap: { capacity: 2, steps: [ { call: { endpoint: a } } ] }'), {
      far: () => new Promise(() => {}),
    });
    await Promise.all([1, 2, 3, 4, 5].map((i) => engine.send({ body: { i } })));
    assert.equal(engine.calls.length, 1);
    engine.far = () => undefined;
    await engine.clock.advance(30_000);
    assert.equal(engine.calls.length, 2);
    await engine.send({ body: { i: 6 } });
    const lines = engine.log.lines.filter((line) => line.level === 'warn');
    assert.deepEqual(
      lines.map((line) => [line.message, line.fields['dropped']]),
      [
        ['a wire tap is full: copies are dropped', undefined],
        ['a wire tap has room again', 3],
      ],
    );
  });
});
