import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findings, passes, results, serving, testFile } from './support.ts';

const told = serving(`
- call: { endpoint: far, http: { method: GET, path: /a }, as: said }
- log: { level: warn, message: "said \${{ $said }}", fields: { said: "\${{ $said }}" } }
- send: { endpoint: events, amqp: { routingKey: told }, headers: { x-n: "1" }, body: { a: 1, b: [1, 2], said: "\${{ $said }}" } }
- respond: { status: 201, headers: { x-b: "2" }, body: { list: [ { x: 1, y: 2 } ], text: t, no: null } }
`);

/** The answer to each expectation, with what all of them send. */
const expecting = (expectations: Readonly<Record<string, string>>) => ({
  'integration.yaml': told,
  'integration.test.yaml': testFile(
    `endpoints: { far: [{ reply: { body: hi } }], events: [{ reply: {} }] }\ntests:\n${Object.entries(expectations)
      .map(([name, expect]) => `  - { name: ${name}, send: { flow: main }, expect: ${expect} }\n`)
      .join('')}`,
  ),
});

test('what is named is compared, and nothing else', async (t) => {
  const found = await findings(
    t,
    expecting({
      nothing: '{}',
      part: '{ reply: { body: { list: [ { x: 1 } ] } } }',
      exactly: '{ reply: { body: { list: [ { x: 1, y: 2 } ], text: t, no: null }, exactly: true } }',
      matches: "{ reply: { matches: \"$count(list) = 1 and $status = 201 and $headers.'x-b' = '2'\" } }",
      schema: '{ reply: { schema: { type: object, required: [text] } } }',
      calls:
        '{ calls: { far: { count: 1 }, events: [ { amqp: { routingKey: told }, headers: { X-N: 1 }, body: { a: 1 } } ] } }',
      call: '{ calls: { events: [ { matches: "body.said = \'hi\'" } ] } }',
      order: '{ order: [far, events] }',
      logs: '{ logs: [ { level: warn, message: said hi, fields: { said: hi } } ] }',
      none: '{ deadLetters: [], compensations: [] }',
    }),
  );
  for (const [name, one] of Object.entries(found)) assert.deepEqual(one, [], name);
});

test('what is different is told, with what was expected and what there is', async (t) => {
  const found = await findings(
    t,
    expecting({
      status: '{ reply: { status: 200 } }',
      header: '{ reply: { headers: { x-b: 3, x-c: 1 } } }',
      body: '{ reply: { body: { text: u, list: [ { x: 2 } ], more: 1, no: 0 } } }',
      length: '{ reply: { body: { list: [] } } }',
      kind: '{ reply: { body: [ 1 ] } }',
      exactly: '{ reply: { body: { list: [ { x: 1 } ], text: t, no: null }, exactly: true } }',
      matches: '{ reply: { matches: text = "u" } }',
      undecided: '{ reply: { matches: text } }',
      broken: '{ reply: { matches: text + 1 } }',
      schema: '{ reply: { schema: { required: [other] } } }',
      error: '{ reply: { error: {} } }',
      count: '{ calls: { far: { count: 2 }, events: [] } }',
      call: '{ calls: { events: [ { amqp: { routingKey: other }, headers: { x-n: 2 }, body: { a: 2, said: hi } } ] } }',
      order: '{ order: [events, far] }',
      logs: '{ logs: [ { level: warn }, { message: never } ] }',
      deadLetters: '{ deadLetters: [ { flow: main } ] }',
      compensations: '{ compensations: [ Charge ] }',
      elapsed: '{ elapsed: { atLeast: 1s } }',
    }),
  );
  assert.deepEqual(found, {
    status: ['reply.status must be 200, and is 201'],
    header: ['reply.headers.x-b must be "3", and is "2"', 'reply.headers.x-c must be "1", and is nothing'],
    body: [
      'reply.body.text must be "u", and is "t"',
      'reply.body.list[0].x must be 2, and is 1',
      'reply.body.more must be 1, and is nothing',
      'reply.body.no must be 0, and is null',
    ],
    length: ['reply.body.list has 1 item, not 0'],
    kind: ['reply.body must be [1], and is {"list":[{"x":1,"y":2}],"text":"t","no":null}'],
    exactly: ['reply.body.list[0].y is there, and is not expected'],
    matches: ['reply.body does not match `text = "u"`'],
    undecided: ['reply.body does not match `text`, which yields "t"'],
    broken: [found['broken']?.[0]],
    schema: [found['schema']?.[0]],
    error: ['reply.error must be {}, and is nothing'],
    count: ['calls.far was called once, not 2', 'calls.events was called once, not never'],
    call: [
      'calls.events[0].body.a must be 2, and is 1',
      'calls.events[0].headers.x-n must be "2", and is "1"',
      'calls.events[0].amqp.routingKey must be "other", and is "told"',
    ],
    order: ['order[0] must be "events", and is "far"', 'order[1] must be "far", and is "events"'],
    logs: ['logs[1] was not logged after the line before'],
    deadLetters: ['deadLetters has 0 items, not 1'],
    compensations: ['compensations has 0 items, not 1'],
    elapsed: ['elapsed was 0ms, and must be at least 1000ms'],
  });
  assert.match(found['broken']?.[0] ?? '', /^reply\.body cannot be matched: /);
  assert.match(found['schema']?.[0] ?? '', /other/);
});

test('a difference has the place of what was expected', async (t) => {
  const { tests } = await results(t, {
    'integration.yaml': told,
    'integration.test.yaml': testFile(`endpoints: { far: [{ reply: { body: hi } }], events: [{ reply: {} }] }
tests:
  - name: placed
    send: { flow: main }
    expect:
      reply:
        body:
          text: t
          list: [{ x: 1 }, { x: 2 }]
      calls:
        far: [{ http: { path: /b } }]
`),
  });
  const places = tests[0]?.differences.map((one) => `${one.line}:${one.column} ${one.pointer}`);
  assert.deepEqual(places, ['11:17 /tests/0/expect/reply/body/list', '13:31 /tests/0/expect/calls/far/0/http/path']);
});

describe('what was undone', () => {
  const saga = serving(`
- name: Charge
  call: { endpoint: far, http: { path: /charge }, as: charged, compensate: [ { call: { endpoint: far, http: { path: /refund } } } ] }
- name: Ship
  call: { endpoint: far, http: { path: /ship }, as: shipped, compensate: [ { call: { endpoint: far, http: { path: /recall } } } ] }
- name: Give up
  fail: { code: no, kind: permanent, detail: no }
`);

  test('in the order of its undoing; what could not be is with the dead letters', (t) =>
    passes(
      t,
      saga,
      `
tests:
  - name: undone
    send: { flow: main }
    endpoints: { far: [{ times: 9, reply: {} }] }
    expect: { reply: { error: { code: no, place: Give up, outcome: none } }, compensations: [Ship, Charge], deadLetters: [] }
  - name: not undone
    send: { flow: main }
    endpoints: { far: [{ when: path = "/recall", fail: { code: no-way, kind: permanent } }, { times: 9, reply: {} }] }
    expect:
      reply: { error: { outcome: unknown } }
      compensations: [Charge]
      deadLetters: [{ type: undo, flow: main, place: Ship, code: no-way }]
`,
    ));
});

test('steps that ran are counted; one whose `when` is not true did not run', async (t) => {
  const { coverage } = await results(t, {
    'integration.yaml': serving(`
- name: Always
  transform: '{ "a": 1 }'
- name: Never
  when: a = 2
  stop: {}
- switch:
    cases: [ { when: a = 1, steps: [ { name: One, set: { body: 1 } } ] } ]
    otherwise: [ { name: Other, set: { body: 2 } } ]
`),
    'integration.test.yaml': testFile(`
tests:
  - { name: a, send: { flow: main }, expect: { reply: { body: 1 } } }
  - { name: b, send: { flow: main }, expect: { reply: { body: 1 } } }
`),
  });
  const counts = coverage[0]?.steps.map((step) => [step.name ?? step.kind, step.line, step.count]);
  assert.deepEqual(counts, [
    ['Always', 10, 2],
    ['Never', 12, 0],
    ['switch', 15, 2],
    ['One', 16, 2],
    ['Other', 17, 0],
  ]);
});

test('several integrations: each with all tests', async (t) => {
  const { tests, coverage } = await results(t, {
    'integration.yaml': serving('- set: { body: 1 }'),
    'other.yaml': serving('- set: { body: 2 }'),
    'integration.test.yaml': `dowelTest: 1
integration: [./integration.yaml, ./other.yaml]
tests:
  - { name: one, send: { flow: main }, expect: { reply: { body: 1 } } }
`,
  });
  assert.deepEqual(
    tests.map((one) => one.differences.length),
    [0, 1],
  );
  assert.equal(coverage.length, 2);
});
