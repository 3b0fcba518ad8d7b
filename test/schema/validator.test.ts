import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { compileJsonSchema } from '../../src/schema/validator.ts';

/** What is wrong, as `pointer message`. */
const problems = (schema: unknown, value: unknown): readonly string[] =>
  compileJsonSchema(schema)(value).map((one) => `${one.pointer} ${one.message}`.trim());

const order = {
  type: 'object',
  required: ['sku', 'quantity'],
  properties: {
    sku: { type: 'string', pattern: '^[a-z]+$' },
    quantity: { type: 'integer', minimum: 1 },
    tags: { type: 'array', items: { type: 'string' }, uniqueItems: true },
    kind: { enum: ['a', 'b'] },
    exact: { const: 1 },
  },
  additionalProperties: false,
};

describe('findings', () => {
  test('a value that fits has none', () => {
    assert.deepEqual(problems(order, { sku: 'tea', quantity: 2, tags: ['x', 'y'] }), []);
  });

  test('all of them are told, in words, with the place; no value is quoted', () => {
    const value = {
      sku: 's3cret!',
      quantity: 0,
      tags: ['secret', 'secret', 7],
      kind: 'secret',
      exact: 2,
      'a/b': 'secret',
    };
    const lines = problems(order, value);
    assert.deepEqual([...lines].sort(), [
      '/exact must be 1',
      '/kind must be one of "a", "b"',
      '/quantity must be >= 1',
      '/sku must match /^[a-z]+$/',
      '/tags must not have the same element twice',
      '/tags/2 must be text',
      'must not have `a/b`',
    ]);
    assert.doesNotMatch(lines.join(), /s3cret|"secret"/);
    assert.deepEqual(problems(order, {}), ['must have `sku`', 'must have `quantity`']);
    assert.deepEqual(problems(order, []), ['must be an object']);
  });

  test('alternatives are one finding, which says what they ask for', () => {
    const either = { anyOf: [{ type: 'string' }, { type: 'object', required: ['id'] }] };
    assert.deepEqual(problems(either, 5), ['must fit one of the alternatives: must be text, or must be an object']);
    assert.deepEqual(problems(either, {}), ['must fit one of the alternatives: must be text, or must have `id`']);
    const nested = {
      properties: { a: { oneOf: [{ $ref: '#/$defs/n' }, { type: 'null' }] } },
      $defs: { n: { type: 'integer' } },
    };
    assert.deepEqual(problems(nested, { a: 'x' }), [
      '/a must fit one of the alternatives: must be an integer, or must be null',
    ]);
    assert.deepEqual(problems({ oneOf: [{ type: 'integer' }, { type: 'number' }] }, 5), [
      'must fit exactly one of the alternatives, and fits several',
    ]);
  });

  test('of `if` the part that applies is told', () => {
    const schema: unknown = JSON.parse(
      '{ "if": { "required": ["a"] }, "then": { "required": ["b"] }, "else": { "required": ["c"] } }',
    );
    assert.deepEqual(problems(schema, { a: 1 }), ['must have `b`']);
    assert.deepEqual(problems(schema, {}), ['must have `c`']);
  });

  test('there are at most twenty, and a word about the rest', () => {
    const many = Array.from({ length: 100 }, () => 'x');
    const lines = problems({ items: { type: 'integer' } }, many);
    assert.equal(lines.length, 21);
    assert.equal(lines.at(-1), 'and 80 more');
  });

  test('of a large value only the first is looked for', () => {
    const large = Array.from({ length: 20_000 }, () => 'x');
    assert.deepEqual(problems({ items: { type: 'integer' } }, large), ['/0 must be an integer']);
  });

  test('keys of the prototype are not there', () => {
    assert.deepEqual(problems({ required: ['constructor', '__proto__'] }, {}), [
      'must have `constructor`',
      'must have `__proto__`',
    ]);
    const withProto = JSON.parse('{ "__proto__": { "a": 1 } }') as unknown;
    assert.deepEqual(problems({ properties: { a: {} }, additionalProperties: false }, withProto), [
      'must not have `__proto__`',
    ]);
    assert.deepEqual(problems({ type: 'object', required: ['a'] }, Object.assign(Object.create(null), { a: 1 })), []);
  });
});

describe('drafts', () => {
  test('2020-12 without `$schema`, and what `$schema` says', () => {
    const tuple = { prefixItems: [{ type: 'integer' }] };
    assert.deepEqual(problems(tuple, ['x']), ['/0 must be an integer']);
    const old = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      items: [{ type: 'integer' }],
      additionalItems: false,
    };
    assert.deepEqual(problems(old, ['x']), ['/0 must be an integer']);
    assert.deepEqual(problems({ ...tuple, $schema: 'https://json-schema.org/draft/2020-12/schema' }, ['x']), [
      '/0 must be an integer',
    ]);
    assert.deepEqual(
      problems({ $schema: 'https://json-schema.org/draft/2019-09/schema', unevaluatedProperties: false }, { a: 1 }),
      ['must not have `a`'],
    );
  });

  test('schemas may be booleans, refer within themselves, and carry annotations', () => {
    assert.deepEqual(problems(true, 5), []);
    assert.deepEqual(problems(false, 5), ['is not allowed here']);
    const tree = {
      $id: 'https://a.example/tree',
      title: 'A tree',
      'x-owner': 'us',
      format: 'tree',
      properties: { children: { items: { $ref: '#' } }, name: { type: 'string', example: 'oak' } },
      additionalProperties: false,
    };
    assert.deepEqual(problems(tree, { children: [{ name: 1 }] }), ['/children/0/name must be text']);
    // The same `$id` twice in one process: each schema stands alone.
    assert.deepEqual(problems(tree, { children: [] }), []);
  });

  for (const [what, schema, says] of [
    ['no schema', 'text', /a JSON Schema is an object/],
    ['a list', [], /a JSON Schema is an object/],
    ['an unknown type', { type: 'objekt' }, /\/type must fit one of the alternatives: must be one of "array"/],
    [
      'an unknown draft',
      { $schema: 'http://json-schema.org/draft-04/schema#' },
      /known are draft 2020-12, 2019-09 and draft-07/,
    ],
    ['a reference to nothing', { $ref: '#/$defs/a' }, /there is nothing at `\$ref` #\/\$defs\/a/],
    [
      'a reference to another file',
      { $ref: './a.json' },
      /there is nothing at `\$ref` a\.json; it can only point into the same/,
    ],
    ['a pattern that is none', { pattern: '(' }, /[Ii]nvalid regular expression|pattern/],
  ] as const) {
    for (const trusted of [false, true]) {
      test(`${what} is refused${trusted ? ', also where schemas are trusted' : ''}`, () => {
        assert.throws(() => compileJsonSchema(schema, trusted), says);
      });
    }
  }
});

describe('formats', () => {
  const cases: Readonly<Record<string, readonly [right: readonly string[], wrong: readonly string[]]>> = {
    date: [
      ['2024-02-29', '2026-12-31'],
      ['2023-02-29', '2026-13-01', '2026-1-1', '2026-04-31', 'x2026-01-01'],
    ],
    time: [
      ['12:00:00Z', '23:59:60+01:00', '00:00:00.123z'],
      ['24:00:00Z', '12:00:00', '12:00Z'],
    ],
    'date-time': [
      ['2026-11-21T08:00:00Z', '2026-11-21t08:00:00.5-02:00'],
      ['2026-11-21', '2026-11-21 08:00:00Z', '2026-02-30T08:00:00Z'],
    ],
    email: [
      ['a@b.example', 'a.b+c@d-e.example'],
      ['a', '@b', 'a@', 'a..b@c', 'a b@c', 'a@b_c', '.a@b'],
    ],
    hostname: [
      ['localhost', 'a-b.c.example'],
      ['-a', 'a-', 'a..b', 'a_b', ''],
    ],
    ipv4: [['127.0.0.1'], ['256.1.1.1', '1.2.3', '::1']],
    ipv6: [
      ['::1', 'fe80::1:2'],
      ['127.0.0.1', ':::'],
    ],
    uri: [
      ['http://a/b?c#d', 'urn:isbn:1'],
      ['a/b', '/a', 'http://a b', ''],
    ],
    uuid: [['123e4567-e89b-12d3-a456-426614174000'], ['123e4567e89b12d3a456426614174000', 'x']],
  };
  for (const [format, [right, wrong]] of Object.entries(cases)) {
    test(format, () => {
      for (const text of right) assert.deepEqual(problems({ format }, text), [], text);
      for (const text of wrong) assert.deepEqual(problems({ format }, text), [`must be a valid ${format}`], text);
      assert.deepEqual(problems({ format }, 5), [], 'a number has no format');
    });
  }
});

describe('patterns', () => {
  test('know Unicode classes where they ask for them', () => {
    assert.deepEqual(problems({ pattern: '^\\p{Lu}' }, 'Ä'), []);
    assert.equal(problems({ pattern: '^\\p{Lu}' }, 'ä').length, 1);
  });

  test('that backtrack without end on some text are stopped: one finding, nothing held up', () => {
    const evil = `${'a'.repeat(60)}!`;
    for (const pattern of ['^(?=(a+)+$)', '^(\\w{1,9}\\s?){1,90}$', '^(a+)+\\p{Lu}$']) {
      const lines = problems({ properties: { a: { pattern } } }, { a: evil });
      assert.match(
        lines.join(),
        /cannot be checked: a pattern needed more than 250 ms on this text|must match/,
        pattern,
      );
    }
  });
});

describe('cost', () => {
  test('unique elements are found in one pass, whatever their order of keys', () => {
    const list = Array.from({ length: 50_000 }, (_, i) => ({ id: i, name: `n${i}` }));
    assert.deepEqual(problems({ uniqueItems: true }, list), []);
    const twice = [...list, { name: 'n7', id: 7 }];
    assert.deepEqual(problems({ uniqueItems: true }, twice), ['must not have the same element twice']);
    assert.deepEqual(problems({ uniqueItems: true }, [1, '1', true, 'true', null, 'null', [], {}, [1], ['1']]), []);
    assert.equal(problems({ uniqueItems: true }, [1, 1.0]).length, 1);
    assert.deepEqual(problems({ uniqueItems: false }, [1, 1]), []);
  });

  test('ajv is loaded by the first schema, not before', () => {
    const script = `
      import { createRequire } from 'node:module';
      const { cache } = createRequire(import.meta.url);
      const loaded = () => Object.keys(cache).some((path) => path.includes('/ajv/'));
      const { compileJsonSchema } = await import(${JSON.stringify(new URL('../../src/schema/validator.ts', import.meta.url).href)});
      const before = loaded();
      compileJsonSchema({ type: 'string' });
      console.log(before, loaded());`;
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    assert.equal(out, 'false true\n');
  });
});
