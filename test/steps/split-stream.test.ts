import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { Body, failure } from '#sdk';
import { mainFlow, type Reply, startEngine } from '../support/engine.ts';

const csv = (text: string) => ({ bytes: { text, contentType: 'text/csv' } });
const inner = (rest = ''): string =>
  `steps: [ { call: { endpoint: a, test: { what: { line: "\${{ $source.part.line }}", index: "\${{ $source.part.index }}" } } } } ]${rest}`;

/** The bodies of the rounds, each with its line. */
const run = async (
  t: TestContext,
  options: string,
  text: string,
  contentType = 'text/plain',
): Promise<{ readonly rounds: readonly unknown[]; readonly reply: Reply }> => {
  const engine = await startEngine(t, mainFlow(`- split: { ${options} }`));
  const reply = await engine.send({ bytes: { text, contentType } });
  return {
    rounds: engine.calls.map(({ body, operation }) => [(operation['what'] as { line: number }).line, body]),
    reply,
  };
};

describe('split', () => {
  test('by csv: a round for each row, with the line where it begins; then the body says how many', async (t) => {
    const { rounds, reply } = await run(t, `by: csv, ${inner()}`, 'sku,note\ntea,"two\nlines"\ncup,x\n', 'text/csv');
    assert.deepEqual(rounds, [
      [2, { sku: 'tea', note: 'two\nlines' }],
      [4, { sku: 'cup', note: 'x' }],
    ]);
    assert.deepEqual(reply.body, { parts: 2, failed: 0, errors: [] });
  });

  test('with the options of its format, and in the charset of the body', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`- split: { by: csv, csv: { delimiter: ";", header: false, columns: [a, b] }, ${inner()} }`),
    );
    const body = Body.bytes(Buffer.from('1;ü\n2;x', 'latin1'), 'text/csv; charset=iso-8859-1');
    await engine.deliver({ body: undefined, raw: body });
    assert.deepEqual(
      engine.calls.map((call) => call.body),
      [
        { a: '1', b: 'ü' },
        { a: '2', b: 'x' },
      ],
    );
  });

  test('by jsonLines, jsonArray and lines', async (t) => {
    assert.deepEqual((await run(t, `by: jsonLines, ${inner()}`, '{"n":1}\n\n[2]\n')).rounds, [
      [1, { n: 1 }],
      [3, [2]],
    ]);
    assert.deepEqual((await run(t, `by: lines, ${inner()}`, 'one\r\n\nthree')).rounds, [
      [1, 'one'],
      [2, ''],
      [3, 'three'],
    ]);
    const array = ' [ 1, "a]\\",",\n {"b": [{}, "}"]} , null,true\n]\n';
    assert.deepEqual((await run(t, `by: jsonArray, ${inner()}`, array)).rounds, [
      [1, 1],
      [1, 'a]",'],
      [2, { b: [{}, '}'] }],
      [2, null],
      [2, true],
    ]);
    assert.deepEqual((await run(t, `by: jsonArray, ${inner()}`, '[]')).reply.body, { parts: 0, failed: 0, errors: [] });
  });

  test('by xmlElement: wherever they stand, by the prefixes of the file', async (t) => {
    const text = `<?xml version="1.0"?><o:orders xmlns:o="urn:o" xmlns:x="urn:x"><meta><o:item>no</o:item></meta>
<o:item sku="tea"><qty>007</qty></o:item><x:item>other</x:item>
<o:item><o:item>inner</o:item></o:item></o:orders>`;
    const { rounds } = await run(
      t,
      `by: xmlElement, xmlElement: { name: "n:item", namespaces: { n: "urn:o" }, arrays: ["n:item.qty"] }, ${inner()}`,
      text,
      'application/xml',
    );
    assert.deepEqual(rounds, [
      [1, { 'n:item': 'no' }],
      [2, { 'n:item': { '@sku': 'tea', qty: ['007'] } }],
      [3, { 'n:item': { 'n:item': 'inner' } }],
    ]);
  });

  test('in batches: the body is a list, and the part says how many', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        '- split: { by: lines, batch: 2, as: all, steps: [ { call: { endpoint: a, test: { what: "${{ $source.part }}" }, body: "${{ $all }}" } } ] }',
      ),
    );
    await engine.send(csv('a\nb\nc\nd\ne'));
    assert.deepEqual(
      engine.calls.map(({ body, operation }) => [body, operation['what']]),
      [
        [['a', 'b'], { index: 0, line: 1, count: 2 }],
        [['c', 'd'], { index: 2, line: 3, count: 2 }],
        [['e'], { index: 4, line: 5, count: 1 }],
      ],
    );
  });

  test('side by side, never more rounds at once than `parallel`', async (t) => {
    let running = 0;
    let most = 0;
    const engine = await startEngine(t, mainFlow(`- split: { by: lines, parallel: 3, ${inner()} }`), {
      far: async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        return undefined;
      },
    });
    await engine.send(csv('a\n'.repeat(20)));
    assert.equal(most, 3);
    assert.equal(engine.calls.length, 20);
  });

  test('of what a step has made is text, or a mistake that says what to write', async (t) => {
    const engine = await startEngine(t, mainFlow(`- transform: $\n- split: { by: lines, ${inner()} }`));
    await engine.send({ body: 'a\nb' });
    assert.equal(engine.calls.length, 2);
    await assert.rejects(engine.send({ body: [1] }), { code: 'validation', message: /use `forEach`/ });
  });
});

describe('split, when something fails', () => {
  const far = ({ body }: { readonly body: unknown }): undefined => {
    if (body === 'bad') throw failure('validation', { detail: 'not this' });
  };

  test('ends the message with the error and its line, and begins no further round', async (t) => {
    const engine = await startEngine(t, mainFlow(`- split: { by: lines, ${inner()} }`), { far });
    await assert.rejects(engine.send(csv('a\nbad\nc')), {
      code: 'validation',
      message: 'The message is not valid: not this (line 2)',
      facts: { detail: 'not this', index: 1, line: 2 },
      place: 'main/steps/0/split/steps/0 call',
    });
    assert.deepEqual(
      engine.calls.map((call) => call.body),
      ['a', 'bad'],
    );
  });

  test('skips what fails where that is asked for, and names it', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        `- split: { by: csv, onError: skip, csv: { header: false }, steps: [ { transform: "$[0]" }, { call: { endpoint: a } } ] }`,
      ),
      { far },
    );
    const { body } = await engine.send(csv('a,1\nbad,2\nb\nc,3\n'));
    assert.deepEqual(body, {
      parts: 4,
      failed: 2,
      errors: [
        { index: 1, line: 2, code: 'validation', message: 'The message is not valid: not this (line 2)' },
        {
          index: 2,
          line: 3,
          code: 'malformed',
          message: 'The csv cannot be read: line 3 (row 3): 1 field instead of 2',
        },
      ],
    });
    assert.deepEqual(
      engine.calls.map((call) => call.body),
      ['a', 'bad', 'c'],
    );
  });

  test('what may pass is not skipped: the message fails', async (t) => {
    const engine = await startEngine(t, mainFlow(`- split: { by: lines, onError: skip, ${inner()} }`), {
      far: ({ body }) => {
        if (body === 'b') throw failure('timeout', { ms: 1 });
        return undefined;
      },
    });
    await assert.rejects(engine.send(csv('a\nb\nc')), {
      code: 'timeout',
      kind: 'transient',
      facts: { ms: 1, index: 1, line: 2 },
    });
    assert.equal(engine.calls.length, 2);
  });

  test('what stands before a record that ends all is done; the message fails', async (t) => {
    for (const [by, text, says] of [
      ['jsonArray', '[1,2,', 'line 1: the list does not end'],
      ['jsonArray', '[1,2 3]', 'line 1: '],
      ['jsonArray', '[1,2]x', 'line 1: nothing may stand behind the list'],
      ['jsonArray', '[1,2,,3]', 'line 1: a value is missing'],
      ['csv', 'a\n1\n2\n"', 'the quote that begins field 1 is never closed'],
    ] as const) {
      const engine = await startEngine(t, mainFlow(`- split: { by: ${by}, ${inner()} }`));
      await assert.rejects(engine.send(csv(text)), (error: Error) => {
        assert.match(error.message, new RegExp(RegExp.escape(says)), text);
        return true;
      });
      assert.ok(engine.calls.length >= 1, text);
    }
    await assert.rejects(run(t, `by: jsonArray, ${inner()}`, '{"a":1}'), /a list begins with \[/);
    await assert.rejects(
      run(t, `by: xmlElement, xmlElement: { name: a }, ${inner()}`, '<x><a/><b></x>'),
      /line 1, column/,
    );
  });

  test('a record that is longer than one may be is refused, with the line where it begins', async (t) => {
    const long = 'x'.repeat(5000);
    for (const [by, text] of [
      ['lines', `a\n${long}`],
      ['csv', `a\n"${long}`],
      ['jsonLines', `1\n"${long}"`],
      ['jsonArray', `[1,\n"${long}"]`],
    ] as const) {
      await assert.rejects(
        run(t, `by: ${by}, maxPart: 1kb, ${inner()}`, text),
        /line 2: a \w+ of more than 1024 characters/,
      );
    }
    await assert.rejects(
      run(t, `by: xmlElement, maxPart: 1kb, xmlElement: { name: a }, ${inner()}`, `<x>\n<a>${long}</a></x>`),
      /of more than 1024 characters/,
    );
  });
});

/** A body that is made while it is read, and knows how much of it was asked for. */
function made(size: number, line: (n: number) => string) {
  const state = { sent: 0, lines: 0, destroyed: false };
  const stream = new Readable({
    read() {
      if (state.sent >= size) {
        this.push(null);
        return;
      }
      let chunk = '';
      while (chunk.length < 16_384) chunk += line(state.lines++);
      state.sent += chunk.length;
      this.push(chunk);
    },
    destroy(error, done) {
      state.destroyed = true;
      done(error);
    },
  });
  return {
    state,
    body: Body.stream({ stream, limit: 1000, tooLarge: (limit) => failure('too-large', { limit }) }, 'text/csv'),
  };
}

describe('split of a body that is larger than memory should hold', () => {
  const line = (n: number): string => (n === 0 ? 'id,name,amount\n' : `A${n},customer ${n % 977},${n % 1000}\n`);

  test('reads on only when there is room: of 100 MB never more than some kB wait', async (t) => {
    const { state, body } = made(100_000_000, line);
    let rows = 0;
    let done = 0;
    let waiting = 0;
    const engine = await startEngine(
      t,
      mainFlow('- split: { by: csv, batch: 1000, parallel: 2, steps: [ { send: { endpoint: out } } ] }'),
      {
        far: (call) => {
          const list = call.body as readonly { readonly id: string }[];
          // In the order in which they came, all of them.
          assert.equal(list[0]?.id, `A${rows + 1}`);
          rows += list.length;
          done += JSON.stringify(list.length).length;
          waiting = Math.max(waiting, state.lines - rows);
          engine.calls.length = 0;
          return undefined;
        },
      },
    );
    assert.equal(engine.needsWholeBody('main'), false);
    const { body: result } = (await engine.deliver({ raw: body })) ?? {};
    assert.deepEqual(await result?.value({} as never), { parts: rows, failed: 0, errors: [] });
    assert.equal(rows, state.lines - 1);
    assert.ok(state.sent >= 100_000_000 && done > 0);
    assert.ok(waiting < 20_000, `${waiting} rows, of some 30 bytes, waited`);
    assert.ok(state.destroyed);
  });

  test('gives its source back when a round fails, without reading the rest', async (t) => {
    const { state, body } = made(100_000_000, line);
    const engine = await startEngine(t, mainFlow(`- split: { by: csv, steps: [ { fail: { code: no } } ] }`));
    await assert.rejects(engine.deliver({ raw: body }), { code: 'no' });
    assert.ok(state.destroyed);
    assert.ok(state.sent < 1_000_000, `${state.sent} bytes`);
  });

  test('ends with its message when the source hangs', async (t) => {
    const stream = new Readable({ read() {} });
    stream.push('a\nb\nhalf');
    const body = Body.stream(
      { stream, limit: 1000, tooLarge: (limit) => failure('too-large', { limit }) },
      'text/plain',
    );
    const engine = await startEngine(t, mainFlow(`- split: { by: lines, ${inner()} }`, { flow: 'deadline: 5s' }));
    const sent = assert.rejects(engine.deliver({ raw: body }), { code: 'deadline' });
    await engine.clock.advance(5000);
    await sent;
    assert.equal(engine.calls.length, 2);
    assert.ok(stream.destroyed);
  });

  test('is whole where a later step needs it as it came', async (t) => {
    const yaml = mainFlow(
      `- try: { steps: [ { split: { by: lines, ${inner()} } } ], catch: [ { steps: [ { call: { endpoint: b } } ] } ] }`,
    );
    const engine = await startEngine(t, yaml);
    assert.equal(engine.needsWholeBody('main'), true);
  });
});

describe('split of an answer', () => {
  /** So much that it could not be collected: the answer may have a million bytes. */
  const rows = 12_000;
  const pad = 'x'.repeat(100);
  const element = (n: number): string =>
    `${n === 0 ? '[' : ','}{"id":${n},"pad":"${pad}"}${n === rows - 1 ? ']' : ''}\n`;
  const answers = (): Readable =>
    Readable.from(
      (function* () {
        for (let n = 0; n < rows; n += 1000)
          yield Buffer.from(Array.from({ length: 1000 }, (_, at) => element(n + at)).join(''));
      })(),
    );
  const count = 'split: { by: jsonArray, batch: 1000, steps: [ { send: { endpoint: out } } ] }';
  const outcome = async (t: TestContext, steps: string): Promise<unknown> => {
    const engine = await startEngine(t, mainFlow(steps), {
      far: ({ endpoint }) => (endpoint === 'a' ? { stream: answers() } : {}),
    });
    return engine.send().then(
      ({ body }) => body,
      (error: { readonly code: string }) => error.code,
    );
  };
  const all = { parts: rows, failed: 0, errors: [] };

  for (const [title, steps] of [
    ['a call', `- call: { endpoint: a }\n- ${count}`],
    [
      'a call in a round',
      `- loop: { while: $exchange.attempt = 1 and $not($exists(parts)), steps: [ { call: { endpoint: a } }, { ${count} } ] }`,
    ],
    ['a call that may not be made', `- when: $exchange.attempt = 1\n  call: { endpoint: a }\n- ${count}`],
    [
      'one of several calls',
      `- switch: { cases: [ { when: $exchange.attempt = 1, steps: [ { call: { endpoint: a } } ] } ], otherwise: [ { call: { endpoint: b } } ] }\n- ${count}`,
    ],
  ] as const) {
    test(`to ${title} is read piece by piece, however long it is`, async (t) => {
      assert.deepEqual(await outcome(t, steps), all);
    });
  }

  for (const [title, steps] of [
    ['a step in between looks at it', `- call: { endpoint: a }\n- log: { message: "\${{ $count($) }}" }\n- ${count}`],
    [
      'a copy of it is tapped',
      `- call: { endpoint: a }\n- wireTap: { steps: [ { send: { endpoint: b } } ] }\n- ${count}`,
    ],
    ['it is sent on before', `- call: { endpoint: a }\n- send: { endpoint: b }\n- ${count}`],
    [
      'a catch needs it',
      `- call: { endpoint: a }\n- try: { steps: [ { ${count} } ], catch: [ { steps: [ { send: { endpoint: b } } ] } ] }`,
    ],
    [
      'two branches need it',
      `- call: { endpoint: a }\n- scatterGather: { branches: { x: [ { ${count} } ], y: [ { log: { message: y } } ] } }`,
    ],
    ['the flow is durable', `- call: { endpoint: a }\n- saga: { steps: [ { ${count} } ] }`],
  ] as const) {
    test(`is whole, and so bounded, where ${title}`, async (t) => {
      assert.equal(await outcome(t, steps), 'response-too-large');
    });
  }
});
