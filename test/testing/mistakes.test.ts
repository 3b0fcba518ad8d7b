import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mistakes, prepared, serving, testFile } from './support.ts';

const integration = serving('- call: { endpoint: far, http: { method: GET, path: /a } }');

const good = `tests:
  - name: a
    send: { flow: main }
    endpoints: { far: [{ reply: {} }] }
    expect: {}
`;

/** In the place of one text of the good file: what is said of it. */
const cases: readonly (readonly [title: string, replaced: string, by: string, said: readonly string[]])[] = [
  ['a flow', 'flow: main', 'flow: mian', ['5:19 The integration has no flow `mian`; did you mean `main`?']],
  ['an endpoint', 'far: [', 'fra: [', ['6:18 The integration has no endpoint `fra`; did you mean `far`?']],
  ['a key', 'expect:', 'expects:', ['7:5 Unknown key `expects`; did you mean `expect`?']],
  [
    'no answer',
    'reply: {}',
    'delay: 5s',
    ['6:24 An answer needs one of `reply`, `fail` or `hang`; `reply: {}` says that it is done'],
  ],
  [
    'an answer without its key',
    'reply: {}',
    'status: 200, body: {}',
    ['6:26 `status` and `body` belong under `reply`'],
  ],
  ['what answers, in other words', 'endpoints:', 'mocks:', ['6:5 Unknown key `mocks`; did you mean `endpoints`?']],
  [
    'a request in the place of its flow',
    'send: { flow: main }',
    'send: { http: { method: GET, path: / } }',
    [
      '5:13 `http` is said by the source of the flow: write `flow:` and, beside it, `params`, `query`, `headers`, `body`',
    ],
  ],
  ['two answers', 'reply: {}', 'reply: {}, hang: true', ['6:37 Only one of `reply` and `hang` may stand here']],
  [
    'an error that is not known',
    'reply: {}',
    'fail: conection',
    ['6:32 Dowel knows no error `conection`; did you mean `connection`?'],
  ],
  [
    'an error of one’s own without its kind',
    'reply: {}',
    'fail: { code: moonlight }',
    ['6:40 Dowel knows no error `moonlight`. For one of your own write its `kind` too'],
  ],
  [
    'a duration',
    'reply: {}',
    'reply: {}, delay: 5',
    [
      '6:44 `delay` is not a duration: found the number 5; a duration is a number with a unit: `500ms`, `5s`, `2m`, `1h` or `7d`',
    ],
  ],
  ['an expression', 'reply: {}', 'when: path = , reply: {}', ['x']],
  [
    'a variable',
    'reply: {}',
    'when: $path = "/a", reply: {}',
    ['6:32 There are no variables here: what is known of the call are fields. Write `path`'],
  ],
  [
    'several replies of one message',
    'expect: {}',
    'expect: { replies: [] }',
    ['7:15 `replies` is for a list of messages. `send` is one: write `reply`'],
  ],
  ['two bodies', 'flow: main', 'flow: main, body: 1, text: a', ['5:34 Only one of `body` and `text` may stand here']],
  [
    'a message to nobody',
    'flow: main',
    'body: 1',
    ['5:5 `flow` is missing here: the name of the flow that gets the message'],
  ],
  [
    'a parameter',
    'flow: main',
    'flow: main, params: { id: 1 }',
    ['5:35 The path of this flow has no parameter `id`: it has none'],
  ],
  ['bytes', 'flow: main', 'flow: main, bytes: "***"', ['5:32 `bytes` must be base64. Text stands under `text`']],
  [
    'the options of a call',
    'expect: {}',
    'expect: { calls: { far: [{ http: { pth: /a } }] } }',
    ['7:40 A call has no option `pth`; did you mean `path`?'],
  ],
  [
    'another connector',
    'expect: {}',
    'expect: { calls: { far: [{ amqp: {} }] } }',
    ['7:32 A call has no option `amqp`; it has `body`, `exactly`, `headers`, `matches` and `http`'],
  ],
  [
    'a breaker',
    'expect: {}',
    'expect: { breaker: { far: open } }',
    ['7:26 The endpoint `far` has no `circuitBreaker`'],
  ],
  [
    'a moment',
    'tests:',
    'now: yesterday\ntests:',
    ['3:6 `now` must be a date and time such as `2026-01-01T00:00:00Z`; found "yesterday"'],
  ],
  [
    'a value of config',
    'tests:',
    'config: { PORT: 1 }\ntests:',
    ['3:11 The integration has no config value `PORT`: it has none'],
  ],
];

for (const [title, replaced, by, said] of cases) {
  test(`told with its place: ${title}`, async (t) => {
    assert.ok(good.includes(replaced));
    const found = mistakes(
      await prepared(t, {
        'integration.yaml': integration,
        'integration.test.yaml': testFile(good.replace(replaced, () => by)),
      }),
    );
    if (said.at(-1) === 'x') assert.match(found.join('\n'), /^6:\d+ /);
    else assert.deepEqual(found, said);
  });
}

test('all of them at once', async (t) => {
  const found = mistakes(
    await prepared(t, {
      'integration.yaml': integration,
      'integration.test.yaml': testFile(`tests:
  - name: a
    send: { flow: mian, contentTyp: a }
    endpoints: { fra: [{ reply: { status: 700 } }] }
    expect: { order: [far, farr], deadLetters: [{ flow: man }] }
`),
    }),
  );
  assert.deepEqual(
    found.map((one) => one.split(' ')[0]),
    ['5:19', '5:25', '6:18', '6:43', '7:28', '7:57'],
  );
});

test('the integration is checked too; values that its config needs are asked of the tests', async (t) => {
  const secret = integration.replace(
    'endpoints:',
    'config: { KEY: { secret: true }, N: { type: integer } }\nendpoints:',
  );
  const missing = await prepared(t, { 'integration.yaml': secret, 'integration.test.yaml': testFile(good) });
  assert.deepEqual(mistakes(missing), [
    '1:1 The integration needs `KEY`, which has no default: write `config: { KEY: … }`',
    '1:1 The integration needs `N`, which has no default: write `config: { N: … }`',
  ]);
  const set = testFile(`config: { KEY: k, N: x }\n${good}`);
  const wrong = await prepared(t, { 'integration.yaml': secret, 'integration.test.yaml': set });
  assert.deepEqual(mistakes(wrong), ['3:22 `N` must be an integer; found "x"']);
  const broken = await prepared(t, {
    'integration.yaml': integration.replace('call:', 'cal:'),
    'integration.test.yaml': testFile(good),
  });
  assert.match(mistakes(broken).join('\n'), /^10:9 Unknown step `cal`; did you mean `call`\?$/);
  assert.deepEqual(broken.suites, []);
});

test('a file that is none', async (t) => {
  const of = async (text: string): Promise<readonly string[]> =>
    mistakes(await prepared(t, { 'integration.yaml': integration, 'integration.test.yaml': text }));
  assert.deepEqual(await of(''), ['1:1 The file is empty. It begins with `dowelTest: 1`']);
  assert.deepEqual(await of('- a\n'), [
    '1:1 A test file is a map of keys, beginning with `dowelTest: 1`; found a list',
  ]);
  assert.match((await of('a: [\n')).join(), /^\d+:\d+ /);
  const elsewhere = await of(testFile(good).replace('./integration.yaml', './integrations.yaml'));
  assert.match(elsewhere.join(), /^2:14 There is no file `.*integrations\.yaml`: paths are relative to this file$/);
});
