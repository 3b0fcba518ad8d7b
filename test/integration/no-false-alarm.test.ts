/** What looks like a mistake, and is none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workshop } from './support/mistakes.ts';

const { diagnose } = workshop();

const flow = (steps: string, path = '/a'): string => `dowel: 1
name: t
flows:
  f:
    from: { http: { path: "${path}" } }
    steps:
${steps}`;

const guarded = (operation: string, more = '', steps = '[]'): string => `dowel: 1
name: t
config: { K: { secret: true } }
flows: { f: { from: { http: { contract: { openapi: ./guarded.yaml, operation: ${operation} }${more} } }, steps: ${steps} } }
`;

const asking = (operation: string, endpoint: string, call = '', step = ''): string => `dowel: 1
name: t
config: { K: { secret: true } }
endpoints: { e: { http: { url: http://a, contract: { openapi: ./guarded.yaml }${endpoint} } } }
flows: { f: { from: { timer: { every: 1s } }, steps: [ { call: { endpoint: e, http: { operation: ${operation}${call} }${step} } } ] } }
`;

const fine: Readonly<Record<string, string>> = {
  'a field `body` that a JSON Schema of the flow declares': flow(`
      - validate: { schema: { properties: { mail: { properties: { body: {} } }, env: {} } } }
      - forEach: { items: mail, steps: [ { transform: body.text } ] }
      - respond: { body: "\${{ env.X }}" }
`),
  'a field `body` that the contract of the source declares': `dowel: 1
name: t
flows:
  f:
    from: { http: { contract: { openapi: ./api.yaml, operation: sendMail } } }
    steps: [ { transform: body.text } ]
`,
  'a contract, and path and method as it has them': `dowel: 1
name: t
flows:
  f:
    from: { http: { method: GET, path: "/v2/orders/{id}", contract: { openapi: ./api.yaml, operation: getOrder, basePath: /v2 } } }
    steps: [ { transform: $params.id } ]
`,
  'a source that asks for what its document says': guarded(
    'place',
    ', auth: { jwt: { issuer: "https://a.example", audience: b, scopes: [orders.write] } }',
  ),
  'scopes that an expression sees to': guarded(
    'place',
    `, auth: { jwt: { issuer: "https://a.example", audience: b, when: '"orders.write" in $identity.scopes' } }`,
  ),
  'the key that the document names, in any case': guarded(
    'list',
    ', auth: { apiKey: { header: X-KEY, keys: [ { id: a, key: "${K}" } ] } }',
  ),
  'two ways at once, of which an expression looks at one': guarded(
    'both',
    ', auth: { basic: { users: [ { name: a, password: "${K}" } ], when: "$exists($headers.`x-key`)" } }',
  ),
  'one of two alternatives': guarded('either', ', auth: { basic: { users: [ { name: a, password: "${K}" } ] } }'),
  'a source for anybody, as its document says': guarded('open'),
  'a source for anybody, where its document leaves it open': guarded('maybe'),
  'a source that asks, where its document leaves it open': guarded(
    'maybe',
    ', auth: { basic: { users: [ { name: a, password: "${K}" } ] } }',
  ),
  'schemas of parts, where the flow looks itself': guarded(
    'scan',
    '',
    '[ { validate: { schema: { type: object } } } ]',
  ),
  'schemas of files, and one of two that is checked': guarded('scanBytes'),
  'an endpoint that shows what the document asks for': asking('place', ', auth: { bearer: { token: "${K}" } }'),
  'a call that shows it': asking('list', '', ', headers: { X-KEY: a }'),
  'a step that shows it': asking('place', '', '', ', headers: { authorization: "Bearer ${{ $source.token }}" }'),
  'a call whose headers nobody knows': asking('list', '', ', headers: "${{ $source.headers }}"'),
  'a call of what anybody may call': asking('open', ''),
  'a field `body` of the body, by its full path': flow('      - transform: $.body.text & $.env.X\n'),
  'parameters of the path, also of its rest': flow(
    '      - transform: $params.id & $params.rest & $params.`id`\n',
    '/a/{id}/{rest+}',
  ),
  'parameters in a sub-flow, whose callers are many': `${flow('      - run: { flow: g }\n', '/a/{id}')}
  g: { steps: [ { transform: $params.colour } ] }
`,
  'a variable of the expression that is called like one of the message': flow(
    '      - transform: "($params := {\\"X-A\\": 1}; $headers := $params; $headers.`X-A` + $params.colour)"\n',
  ),
  'data that looks like a step': flow(
    '      - respond: { body: { kind: call, list: [ { kind: send, options: 1 } ] } }\n',
  ),
  'header names as they are': flow('      - transform: $headers.accept & $headers.`content-type` & $headers.host\n'),
  'a name of a header in text': flow(`      - transform: '"write $headers.X-Foo or $headers.content-type"'\n`),
  'braces in a template that are no hole': flow(
    `      - respond: { body: '{"a":{"b":{}}} \${{ {"a": {"b": x}} }} {{#if a}}' }\n`,
  ),
  'a tab behind a colon': flow(
    '      - log:\t\t{ message:\t"a" }\n      - log:\n          message: |\n            a:\t{ b\n',
  ),
  "a colon in a path, and a method of one's own": `dowel: 1
name: t
endpoints: { e: { http: { url: http://a } } }
flows:
  f:
    from: { http: { path: "/orders:batch/a:b" } }
    steps:
      - call: { endpoint: e, http: { method: PURGE, path: "/http://x" } }
      - call: { endpoint: e, http: { method: "\${{ m }}", path: "\${{ a }}/b" } }
`,
  'notes in a JSON Schema, and properties called like keywords': flow(`
      - validate:
          schema:
            x-owner: me
            unit: kg
            $defs: { typ: { type: string } }
            properties: { propertis: { enum: [ { typ: 1 } ] }, requierd: { const: { titel: x } }, a: { default: { typ: x } } }
`),
};

for (const [title, yaml] of Object.entries(fine)) {
  test(title, async () => {
    assert.deepEqual(await diagnose(yaml), []);
  });
}
