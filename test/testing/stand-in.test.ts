import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findings, passes, results, serving, testFile } from './support.ts';

const asking = serving('- call: { endpoint: far, http: { method: GET, path: /a } }');

describe('which answer a call gets', () => {
  test('one after the other, and the last repeats', (t) =>
    passes(
      t,
      asking,
      `
tests:
  - name: in order
    send: [{ flow: main }, { flow: main }, { flow: main }]
    endpoints: { far: [{ reply: { body: 1 } }, { reply: { body: 2 } }] }
    expect: { replies: [{ body: 1 }, { body: 2 }, { body: 2 }] }
`,
    ));

  test('`times` says how often; with `when` it is for all calls for which that is true', (t) =>
    passes(
      t,
      serving('- call: { endpoint: far, http: { method: GET, path: "/${{ what }}" } }'),
      `
tests:
  - name: by what is asked
    send:
      - { flow: main, body: { what: a } }
      - { flow: main, body: { what: b } }
      - { flow: main, body: { what: a } }
      - { flow: main, body: { what: b } }
      - { flow: main, body: { what: b } }
    endpoints:
      far: [{ when: path = "/a", reply: { body: a } }, { times: 2, reply: { body: 1 } }, { reply: { body: 2 } }]
    expect: { replies: [{ body: a }, { body: 1 }, { body: a }, { body: 1 }, { body: 2 }] }
`,
    ));

  test('what `when` and holes see: the options of the call, its number, its body and the headers that the file gave it', (t) =>
    passes(
      t,
      serving(
        '- call: { endpoint: far, http: { path: /p, query: { q: x } }, headers: { X-Own: "1" }, body: { a: { b: 2 } } }',
      ),
      `
tests:
  - name: all of it
    send: { flow: main, headers: { x-from-outside: "1" }, body: {} }
    endpoints:
      far:
        - when: method = "POST" and path = "/p" and query.q = "x" and body.a.b = 2 and nth = 1 and endpoint = "far" and headers."x-own" = "1" and $not($exists(headers."x-from-outside"))
          reply: { body: { seen: "\${{ body.a }}", nth: "call \${{ nth }}" } }
    expect: { reply: { body: { seen: { b: 2 }, nth: call 1 } } }
`,
    ));

  test('none, where the test says nothing of the endpoint, or nothing that fits: it fails, and says what to write', async (t) => {
    const found = await findings(t, {
      'integration.yaml': asking,
      'integration.test.yaml': testFile(`
tests:
  - name: nothing
    send: { flow: main }
    expect: { reply: { status: 500 } }
  - name: nothing that fits
    send: { flow: main }
    endpoints: { far: [{ when: path = "/b", reply: {} }] }
    expect: { reply: { status: 500 } }
`),
    });
    assert.deepEqual(found, {
      nothing: [
        '`far` was called (GET /a), and the test says nothing about it: write `far: [{ reply: { body: … } }]` under `endpoints`',
      ],
      'nothing that fits': ['`far` was called (GET /a), and none of its answers fits: add one without `when`'],
    });
  });

  test('one that cannot be made is a mistake of the test, with its place', async (t) => {
    const { tests } = await results(t, {
      'integration.yaml': asking,
      'integration.test.yaml': testFile(`tests:
  - name: status
    send: { flow: main }
    endpoints: { far: [{ reply: { status: "\${{ path }}" } }] }
    expect: {}
  - name: when
    send: { flow: main }
    endpoints: { far: [{ when: $number(path) = 1, reply: {} }] }
    expect: {}
`),
    });
    const found = tests.map((one) => one.differences.map((each) => `${each.line}:${each.column} ${each.message}`));
    assert.equal(found[0]?.length, 1);
    assert.match(found[0]?.[0] ?? '', /^6:33 The answer of `far` cannot be made: its `status` is no number from 200/);
    assert.match(found[1]?.[0] ?? '', /^10:32 The answer of `far` cannot be made: The expression .*number/);
  });

  test('of the file, where the test itself says nothing of the endpoint', (t) =>
    passes(
      t,
      asking,
      `
endpoints: { far: [{ reply: { body: file } }] }
tests:
  - { name: of the file, send: { flow: main }, expect: { reply: { body: file } } }
  - { name: its own, send: { flow: main }, endpoints: { far: [{ reply: { body: own } }] }, expect: { reply: { body: own } } }
`,
    ));
});

describe('what an answer becomes', () => {
  test('a status that the call does not expect is its error, with what Retry-After says', (t) =>
    passes(
      t,
      serving(
        '- call: { endpoint: far, http: { method: GET, path: /a }, expect: [2xx, 404] }',
        'retry: { maxAttempts: 2 }',
      ),
      `
tests:
  - name: expected
    send: { flow: main }
    endpoints: { far: [{ reply: { status: 404, body: none } }] }
    expect: { reply: { status: 200, body: none } }
  - name: unexpected
    send: { flow: main }
    endpoints: { far: [{ reply: { status: 409 } }] }
    expect: { reply: { status: 502, error: { code: http-409, kind: permanent } }, calls: { far: { count: 1 } } }
  - name: later
    send: { flow: main }
    endpoints: { far: [{ reply: { status: 503, headers: { Retry-After: 7 } } }, { reply: { body: ok } }] }
    expect: { reply: { body: ok }, elapsed: { atLeast: 7s, atMost: 8s } }
`,
    ));

  test('text as it comes over the wire; what cannot be read is the error of the answer', (t) =>
    passes(
      t,
      serving('- call: { endpoint: far, http: { method: GET, path: /a }, as: said }\n- transform: $said'),
      `
tests:
  - name: xml
    send: { flow: main }
    endpoints: { far: [{ reply: { headers: { content-type: text/xml }, text: <a><b>1</b></a> } }] }
    expect: { reply: { body: { a: { b: "1" } } } }
  - name: broken
    send: { flow: main }
    endpoints: { far: [{ reply: { headers: { content-type: application/json }, text: '{"a' } }] }
    expect: { reply: { error: { code: invalid-response } } }
  - name: nothing
    send: { flow: main }
    endpoints: { far: [{ reply: { status: 204 } }] }
    expect: { reply: { status: 204 } }
`,
    ));

  test('an error of the table, of HTTP, or of your own; what could not be reached has nothing of the call', (t) =>
    passes(
      t,
      serving('- call: { endpoint: far, http: { path: /a }, body: {} }', 'retry: { maxAttempts: 3 }'),
      `
tests:
  - name: could not be reached, so that it may be repeated
    send: { flow: main }
    endpoints: { far: [{ fail: connection }] }
    expect: { reply: { error: { code: connection, outcome: none } }, calls: { far: { count: 3 } } }
  - name: was lost on the way, so that it may not
    send: { flow: main }
    endpoints: { far: [{ fail: { code: connection, facts: { sent: true } } }] }
    expect: { reply: { error: { code: connection, outcome: unknown } }, calls: { far: { count: 1 } } }
  - name: of HTTP
    send: { flow: main }
    endpoints: { far: [{ fail: http-402 }] }
    expect: { reply: { error: { code: http-402, kind: permanent } } }
  - name: of one's own
    send: { flow: main }
    endpoints: { far: [{ fail: { code: moon-in-the-way, kind: permanent } }] }
    expect: { reply: { error: { code: moon-in-the-way, kind: permanent } } }
`,
    ));

  test('nothing ever comes: the timeout of the endpoint ends it; a delay is time that passes', (t) =>
    passes(
      t,
      serving('- call: { endpoint: far, http: { method: GET, path: /a } }', 'timeout: 3s'),
      `
tests:
  - name: hangs
    send: { flow: main }
    endpoints: { far: [{ hang: true }] }
    expect: { reply: { status: 504, error: { code: timeout } }, elapsed: { atLeast: 3s, atMost: 3s } }
  - name: is slow
    send: { flow: main }
    endpoints: { far: [{ delay: 2999ms, reply: {} }] }
    expect: { reply: { status: 204 }, elapsed: { atLeast: 2999ms, atMost: 2999ms } }
  - name: is too slow
    send: { flow: main }
    endpoints: { far: [{ delay: 3001ms, fail: connection }] }
    expect: { reply: { error: { code: timeout } } }
`,
    ));
});

test('policies run: an open breaker keeps calls away, a cache answers in the place of the far side', (t) =>
  passes(
    t,
    serving(
      '- call: { endpoint: far, http: { method: GET, path: /a } }',
      'cache: { ttl: 10s }, circuitBreaker: { minCalls: 2, openFor: 5s }',
    ),
    `
tests:
  - name: cached
    send: [{ flow: main }, { flow: main, advance: 9s }, { flow: main, advance: 2s }]
    endpoints: { far: [{ reply: { body: 1 } }, { reply: { body: 2 } }] }
    expect: { replies: [{ body: 1 }, { body: 1 }, { body: 2 }], calls: { far: { count: 2 } } }
  - name: broken off
    send: [{ flow: main }, { flow: main }, { flow: main }]
    endpoints: { far: [{ fail: connection }] }
    expect:
      replies: [{ error: { code: connection } }, { error: { code: connection } }, { error: { code: circuit-open } }]
      breaker: { far: open }
`,
  ));
