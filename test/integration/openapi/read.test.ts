/** OpenAPI documents as contracts: what is understood, and where it is said that something is wrong. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Contract, wholeSchema } from '../../../src/core/contract.ts';
import { DocumentProblem } from '../../../src/integration/openapi/documents.ts';
import { readContract } from '../../../src/integration/openapi/read.ts';
import { compileJsonSchema } from '../../../src/schema/validator.ts';

const read = (text: string, files: Readonly<Record<string, string>> = {}): Contract =>
  readContract('/shop/api/api.yaml', text, '/shop', (path) => files[path]);

const document = (paths: string, more = '', version = '3.1.0'): string =>
  `openapi: ${version}\ninfo: { title: T, version: '1' }\npaths:\n${paths}${more}`;

const problemIn = (work: () => unknown): string => {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof DocumentProblem) return thrown.message;
    throw thrown;
  }
  return 'nothing is wrong';
};

const body = (schema: string): string =>
  `  /a: { post: { operationId: a, requestBody: { content: { application/json: { schema: ${schema} } } }, responses: { '200': { description: A } } } }\n`;

/** What the schema of the body of operation `a` finds wrong with values. */
function bodyCheck(contract: Contract, direction: 'sent' | 'answered' = 'sent'): (value: unknown) => boolean {
  const schema = contract.operation('a')?.body?.contents[0]?.schema;
  const check = compileJsonSchema(wholeSchema(schema, contract.schemas, direction));
  return (value) => check(value).length === 0;
}

describe('a document', () => {
  test('names its operations, by method and path where they have no id', () => {
    const text = document(
      '  /a: { get: { responses: {} } }\n  /b: { put: { operationId: b, responses: {} }, x-note: 1 }\n  x-more: 1\n',
    );
    const contract = read(text);
    assert.deepEqual(contract.operationIds, ['GET /a', 'b']);
    assert.deepEqual([contract.operation('GET /a')?.method, contract.operation('b')?.path], ['GET', '/b']);
    assert.equal(contract.operation('c'), undefined);
  });

  test('may be JSON, indented by tabs', () => {
    const text =
      '{\n\t"openapi": "3.0.3",\n\t"paths": {\n\t\t"/a": { "get": { "operationId": "a", "responses": {} } }\n\t}\n}';
    assert.deepEqual(read(text).operationIds, ['a']);
    assert.match(
      problemIn(() => read(text.replace('3.0.3', '4.0'))),
      /^\.\/api\/api\.yaml:2:13: `openapi` is 4\.0; known are 3\.0 and 3\.1$/,
    );
  });

  for (const [what, text, message] of [
    ['is no YAML', 'openapi: [', './api/api.yaml:1:10: The `[` is never closed'],
    [
      'has no paths',
      'openapi: 3.1.0\npaths: {}\n',
      './api/api.yaml:2:8: the document has no `paths`: it describes no operation',
    ],
    [
      'has a path without a slash',
      document('  a: { get: { responses: {} } }\n'),
      './api/api.yaml:4:3: a path begins with `/`',
    ],
    [
      'has an operationId twice',
      document('  /a: { get: { operationId: a, responses: {} } }\n  /b: { get: { operationId: a, responses: {} } }\n'),
      './api/api.yaml:5:29: there is another operation `a` in the document',
    ],
  ] as const) {
    test(`that ${what} is no contract, with its line and column`, () => {
      assert.equal(
        problemIn(() => read(text)),
        message,
      );
    });
  }

  for (const [what, operation, message] of [
    [
      'a status that is none',
      '{ operationId: a, responses: { ok: { description: A } } }',
      '`ok` is no status: write it as `200`, `2XX` or `default`',
    ],
    [
      'a parameter of the path that nobody describes',
      '{ operationId: a, responses: {} }',
      'the path has the parameter {id}, and `parameters` does not describe it',
    ],
    [
      'a reference to nothing',
      "{ operationId: a, requestBody: { $ref: '#/components/x' }, responses: {} }",
      'there is nothing at `$ref` #/components/x',
    ],
    [
      'a reference to an address',
      "{ operationId: a, requestBody: { $ref: 'https://a.example/b.yaml#/x' }, responses: {} }",
      '`$ref` is the address https://a.example/b.yaml: only files are read; keep a copy beside the document',
    ],
    [
      'a reference to a file that is not there',
      "{ operationId: a, requestBody: { $ref: './b.yaml#/x' }, responses: {} }",
      '`$ref` names the file ./api/b.yaml, which is not there or cannot be read',
    ],
  ] as const) {
    test(`${what}: only who uses the operation hears of it`, () => {
      const path = what.includes('path that') ? '/a/{id}' : '/a';
      const contract = read(
        document(`  ${path}: { post: ${operation} }\n  /b: { get: { operationId: b, responses: {} } }\n`),
      );
      assert.equal(contract.operation('a'), undefined);
      assert.equal(contract.problems('a').length, 1);
      assert.match(contract.problems('a')[0] ?? '', /^\.\/api\/api\.yaml:4:\d+: /);
      assert.ok(contract.problems('a')[0]?.endsWith(message), contract.problems('a')[0]);
      assert.deepEqual([contract.operation('b')?.id, contract.problems('b')], ['b', []]);
    });
  }

  test('parameters of a path hold for its operations, whose own win', () => {
    const text = document(
      `  /a/{id}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: string } }
      - { $ref: '#/components/parameters/page' }
    get:
      operationId: a
      parameters: [ { name: id, in: path, required: true, schema: { type: integer } } ]
      responses: { '200': { description: A } }
`,
      'components: { parameters: { page: { name: page, in: query, schema: { type: integer } } } }\n',
    );
    const { parameters = [] } = read(text).operation('a') ?? {};
    assert.deepEqual(
      parameters.map(({ name, style, explode, schema }) => [name, style, explode, schema]),
      [
        ['id', 'simple', false, { type: 'integer' }],
        ['page', 'form', true, { type: 'integer' }],
      ],
    );
  });
});

describe('schemas', () => {
  test('refer to others, to themselves, and to other files', () => {
    const files = {
      '/shop/api/common.yaml':
        "Tree: { type: object, required: [name], properties: { name: { $ref: '#/Name' }, children: { type: array, items: { $ref: '#/Tree' } } } }\nName: { type: string, minLength: 2 }\n",
      '/shop/api/order.schema.json':
        '{ "$id": "https://a.example/order", "type": "object", "required": ["sku"], "properties": { "sku": { "$ref": "#/$defs/sku" } }, "$defs": { "sku": { "type": "string" } } }',
    };
    const tree = bodyCheck(read(document(body("{ $ref: './common.yaml#/Tree' }")), files));
    assert.ok(tree({ name: 'ab', children: [{ name: 'cd', children: [] }] }));
    assert.ok(!tree({ name: 'ab', children: [{ name: 'c' }] }));
    const order = bodyCheck(read(document(body("{ $ref: './order.schema.json' }")), files));
    assert.ok(order({ sku: 'tea' }));
    assert.ok(!order({ sku: 1 }));
  });

  test('two of the same name in different files stay two', () => {
    const files = { '/shop/api/b.yaml': 'Order: { type: string }\n' };
    const text = document(
      body("{ oneOf: [ { $ref: '#/components/schemas/Order' }, { $ref: './b.yaml#/Order' } ] }"),
      'components: { schemas: { Order: { type: integer } } }\n',
    );
    const contract = read(text, files);
    const check = bodyCheck(contract);
    assert.deepEqual(Object.keys(contract.schemas), ['Order', 'Order_2']);
    assert.deepEqual([check(1), check('a'), check(true)], [true, true, false]);
  });

  test('of OpenAPI 3.0 mean what they meant there', () => {
    const old = (schema: string): ((value: unknown) => boolean) => bodyCheck(read(document(body(schema), '', '3.0.3')));
    const nullable = old('{ type: string, nullable: true }');
    assert.deepEqual([nullable(null), nullable('a'), nullable(1)], [true, true, false]);
    const bounds = old('{ type: number, minimum: 1, exclusiveMinimum: true, maximum: 5, exclusiveMaximum: false }');
    assert.deepEqual([bounds(1), bounds(1.1), bounds(5), bounds(6)], [false, true, true, false]);
    // What stands beside a reference says nothing.
    const beside = read(
      document(
        body("{ $ref: '#/components/schemas/T', maxLength: 1 }"),
        'components: { schemas: { T: { type: string } } }\n',
        '3.0.3',
      ),
    );
    assert.ok(bodyCheck(beside)('long'));
  });

  test('of OpenAPI 3.1 are JSON Schema: what stands beside a reference counts', () => {
    const text = document(
      body("{ $ref: '#/components/schemas/T', maxLength: 2 }"),
      "components: { schemas: { T: { type: [string, 'null'] } } }\n",
    );
    const check = bodyCheck(read(text));
    assert.deepEqual([check('ab'), check('abc'), check(null)], [true, false, true]);
  });

  test('what is only answered is not required in a request, and the other way round', () => {
    const text = document(
      body("{ $ref: '#/components/schemas/T' }"),
      `components:
  schemas:
    T: { type: object, required: [id, secret, name], properties: { id: { $ref: '#/components/schemas/Id' }, secret: { type: string, writeOnly: true }, name: { type: string } } }
    Id: { type: integer, readOnly: true }
`,
    );
    const contract = read(text);
    assert.ok(bodyCheck(contract, 'sent')({ secret: 's', name: 'n' }));
    assert.ok(!bodyCheck(contract, 'sent')({ id: 1, name: 'n' }));
    assert.ok(bodyCheck(contract, 'answered')({ id: 1, name: 'n' }));
    assert.ok(!bodyCheck(contract, 'answered')({ secret: 's', name: 'n' }));
  });

  test('a property may be called as a keyword', () => {
    const text = document(
      body(
        '{ type: object, properties: { items: { type: integer }, properties: { type: integer }, $ref: { type: integer } } }',
      ),
    );
    const check = bodyCheck(read(text));
    assert.deepEqual(
      [check({ items: 1, properties: 1, $ref: 1 }), check({ items: 'a' }), check({ $ref: 'a' })],
      [true, false, false],
    );
  });
});
