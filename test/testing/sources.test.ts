import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mistakes, passes, prepared, results, serving, testFile } from './support.ts';

test('http: the sender gets what a caller would: problems, statuses, headers', (t) =>
  passes(
    t,
    serving(
      '- validate: { schema: { type: object, required: [a] } }\n- respond: { status: 201, headers: { x-a: "${{ a }}" } }',
    ),
    `
tests:
  - name: an answer
    send: { flow: main, body: { a: 1 } }
    expect: { reply: { status: 201, headers: { X-A: 1, content-type: application/json }, body: { a: 1 } } }
  - name: a problem
    send: { flow: main, body: {} }
    expect:
      reply:
        status: 400
        headers: { content-type: application/problem+json }
        body: { type: urn:dowel:error:validation, status: 400, outcome: none }
  - { name: no JSON, send: { flow: main, text: "{" }, expect: { reply: { status: 400, body: { code: malformed } } } }
  - name: no type that is known
    send: { flow: main, bytes: AAEC, contentType: image/png }
    expect: { reply: { status: 415 } }
`,
  ));

test('http: parameters, query, headers and what the source knows', (t) =>
  passes(
    t,
    `dowel: 1
name: tried
flows:
  show:
    from: { http: { method: GET, path: "/a/{id}/{rest+}" } }
    steps:
      - transform: '{ "id": $params.id, "rest": $params.rest, "q": $query.q, "h": $headers."x-h", "path": $source.path, "method": $source.method }'
`,
    `
tests:
  - name: all of it
    send: { flow: show, params: { id: 7, rest: b/c }, query: { q: [x, "y"] }, headers: { X-H: 1 } }
    expect:
      reply: { body: { id: "7", rest: b/c, q: [x, "y"], h: "1", path: /a/7/b/c, method: GET }, exactly: true }
`,
  ));

test('a body from a file, and as text of another format', (t) =>
  results(t, {
    'integration.yaml': serving('- transform: order.id'),
    'order.xml': '<order><id>7</id></order>',
    'integration.test.yaml': testFile(`
tests:
  - { name: file, send: { flow: main, file: ./order.xml, contentType: text/xml }, expect: { reply: { body: "7" } } }
  - { name: value, send: { flow: main, body: { order: { id: "8" } }, contentType: text/xml }, expect: { reply: { body: "8" } } }
`),
  }).then(({ tests }) =>
    assert.deepEqual(
      tests.flatMap((one) => one.differences),
      [],
    ),
  ));

const queue = (more: string, steps: string): string => `dowel: 1
name: tried
endpoints:
  far: { http: { url: http://localhost:9 } }
flows:
  work:
    from: { amqp: { url: amqp://localhost:9, queue: work } }
${more}
    steps:
${steps}
`;

test('a broker: redelivery until it is done, and then as a dead letter', (t) =>
  passes(
    t,
    queue(
      '    redelivery: { maxAttempts: 4, delay: 10m, factor: 2, maxDelay: 1h }',
      '      - call: { endpoint: far, http: { path: /a }, headers: { x-attempt: "${{ $exchange.attempt }}" } }',
    ),
    `
tests:
  - name: done at last
    send: { flow: work, body: { n: 1 } }
    endpoints: { far: [{ times: 2, fail: http-503 }, { reply: {} }] }
    expect:
      calls: { far: [{ headers: { x-attempt: 1 } }, { headers: { x-attempt: 2 } }, { headers: { x-attempt: 3 } }] }
      deadLetters: []
      elapsed: { atMost: 30m }
  - name: given up
    send: { flow: work, body: { n: 1 } }
    endpoints: { far: [{ fail: http-503 }] }
    expect:
      deadLetters: [{ type: message, flow: work, code: http-503, kind: transient, place: work/steps/0, attempts: 4, body: { n: 1 } }]
  - name: the broker has counted before
    send: { flow: work, body: { n: 1 }, attempt: 4 }
    endpoints: { far: [{ fail: http-503 }] }
    expect: { calls: { far: { count: 1 } }, deadLetters: [{ attempts: 4 }] }
  - name: what fails for good is not tried again
    send: { flow: work, text: "{" }
    endpoints: { far: [{ reply: { status: 422 } }] }
    expect: { calls: { far: { count: 1 } }, deadLetters: [{ code: http-422, attempts: 1, body: "{" }] }
`,
  ));

test('a flow without a source is sent to as a function is called', (t) =>
  passes(
    t,
    `${serving('- run: { flow: double }')}
  double:
    steps:
      - when: n < 0
        fail: { code: negative, kind: permanent, detail: below zero }
      - transform: '{ "n": n * 2 }'
`,
    `
tests:
  - { name: a result, send: { flow: double, body: { n: 4 } }, expect: { reply: { body: { n: 8 } } } }
  - name: an error
    send: { flow: double, body: { n: -1 } }
    expect: { reply: { error: { code: negative, kind: permanent, place: double/steps/0 } } }
`,
  ));

test('channels are real; what goes in is recorded, and the test may send into them', (t) =>
  passes(
    t,
    `dowel: 1
name: tried
endpoints:
  next: { channel: { name: next } }
  file: { file: { path: ./out } }
flows:
  main:
    from: { timer: { every: 1h } }
    steps: [ { send: { endpoint: next, body: { tick: "\${{ $source.tick }}" } } } ]
  reader:
    from: { channel: { name: next } }
    steps: [ { send: { endpoint: file, file: { append: true } } } ]
`,
    `
endpoints: { file: [{ reply: {} }] }
tests:
  - name: through the channel
    send: { flow: main, source: { tick: 3 } }
    expect: { calls: { next: [{ body: { tick: 3 } }], file: [{ file: { append: true }, body: { tick: 3 } }] }, order: [next, file] }
  - name: from the test
    send: { flow: reader, body: { tick: 4 } }
    expect: { calls: { next: [], file: [{ body: { tick: 4 } }] } }
`,
  ));

test('soap: envelopes come in and go out, errors are faults', (t) =>
  passes(
    t,
    `dowel: 1
name: tried
flows:
  add:
    from: { soap: { path: /calc, namespace: "urn:calc", operations: [Add] } }
    steps:
      - when: $number(Add.a) < 0
        fail: { code: negative, status: 400, kind: permanent, detail: below zero }
      - transform: '{ "AddResponse": { "sum": $string($number(Add.a) + $number(Add.b)) } }'
`,
    `
tests:
  - name: an answer
    send:
      flow: add
      contentType: text/xml
      text: >
        <s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
        <Add xmlns="urn:calc"><a>2</a><b>3</b></Add></s:Body></s:Envelope>
    expect: { reply: { status: 200, matches: "$contains($string($), 'sum')" } }
  - name: a fault
    send:
      flow: add
      contentType: text/xml
      text: >
        <s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
        <Add xmlns="urn:calc"><a>-2</a><b>3</b></Add></s:Body></s:Envelope>
    expect: { reply: { status: 500, matches: "$contains($string($), 'below zero')", error: { code: negative } } }
`,
  ));

const guarded = `dowel: 1
name: tried
config: { SHOP_KEY: { secret: true } }
flows:
  orders:
    from:
      http:
        path: "/{tenant}"
        rateLimit: { rate: 3/m }
        auth:
          jwt: { issuer: "https://login.example", audience: orders, scopes: [orders.write], when: $identity.claims.tenant = $params.tenant }
          apiKey: { keys: [{ id: shop, key: "\${SHOP_KEY}" }] }
    steps: [{ transform: '{ "who": $identity.subject, "by": $identity.scheme, "key": $headers."x-api-key" }' }]
  inner:
    steps: [{ transform: $identity.subject }]
  outer:
    from: { http: { path: /outer } }
    steps: [{ run: { flow: inner } }]
`;

test('http: a test says who is asking; scopes, conditions, keys and limits hold as ever', (t) =>
  passes(
    t,
    guarded,
    `
config: { SHOP_KEY: sesame }
tests:
  - name: nobody
    send: { flow: orders, params: { tenant: acme } }
    expect: { reply: { status: 401, headers: { www-authenticate: ['ApiKey realm="tried"', 'Bearer realm="tried"'] }, body: { code: unauthenticated } } }
  - name: somebody
    send: { flow: orders, params: { tenant: acme }, identity: { subject: ada, scopes: [orders.write], claims: { tenant: acme } } }
    expect: { reply: { status: 200, body: { who: ada, by: jwt } } }
  - name: without the scope
    send: { flow: orders, params: { tenant: acme }, identity: { subject: ada, claims: { tenant: acme } } }
    expect: { reply: { status: 403, body: { code: insufficient-scope } } }
  - name: of another tenant
    send: { flow: orders, params: { tenant: other }, identity: { subject: ada, scopes: [orders.write], claims: { tenant: acme } } }
    expect: { reply: { status: 403, body: { code: forbidden } } }
  - name: by a key, really
    send: { flow: orders, params: { tenant: acme }, headers: { X-Api-Key: sesame } }
    expect: { reply: { status: 200, body: { who: shop, by: apiKey }, exactly: true } }
  - name: by a wrong key
    send: { flow: orders, params: { tenant: acme }, headers: { X-Api-Key: other } }
    expect: { reply: { status: 401 } }
  - name: by a key, as the test says
    send: { flow: orders, params: { tenant: acme }, identity: { scheme: apiKey, subject: till } }
    expect: { reply: { body: { who: till, by: apiKey } } }
  - name: in a way that the source does not know
    send: { flow: orders, params: { tenant: acme }, identity: { scheme: basic, subject: till } }
    expect: { reply: { status: 401 } }
  - name: too often
    send:
      - &one { flow: orders, params: { tenant: acme }, identity: { scheme: apiKey, subject: till } }
      - *one
      - *one
      - *one
      - { flow: orders, params: { tenant: acme }, identity: { scheme: apiKey, subject: till }, advance: 20s }
    expect: { replies: [{ status: 200 }, { status: 200 }, { status: 200 }, { status: 429, headers: { retry-after: "20" } }, { status: 200 }] }
  - name: a sub-flow
    send: { flow: inner, identity: { subject: ada } }
    expect: { reply: { body: ada } }
`,
  ));

test('who sends cannot be said where the source asks nobody', async (t) => {
  const tests = `config: { SHOP_KEY: sesame }
tests:
  - name: a
    send: { flow: outer, identity: { subject: ada } }
    expect: {}
`;
  const ready = await prepared(t, { 'integration.yaml': guarded, 'integration.test.yaml': testFile(tests) });
  assert.deepEqual(mistakes(ready), [
    '6:26 The source of `outer` asks nobody who they are: it has no `auth`, and its messages no `$identity`',
  ]);
});
