/** What a call writes into its request, a source reads out of it: in every place and style, under the same contract. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ContractOperation, ContractParameter } from '#sdk';
import { said } from '../../../../connectors/http/contract/parameters.ts';
import { place } from '../../../../connectors/http/contract/place.ts';
import { Shape } from '../../../../connectors/http/contract/shape.ts';
import { parsePath } from '../../../../connectors/http/path.ts';
import { pathOf, templateOf } from '../../../../connectors/http/request.ts';
import { Routes } from '../../../../connectors/http/routes.ts';
import { readQuery, readTarget } from '../../../../connectors/http/target.ts';

const list = { type: 'array', items: { type: 'integer' } };
const words = { type: 'array', items: { type: 'string' } };
const object = { type: 'object', properties: { from: { type: 'integer' }, to: { type: 'string' } } };

const parameter = (
  where: ContractParameter['in'],
  schema: unknown,
  {
    style = where === 'query' || where === 'cookie' ? 'form' : 'simple',
    explode = style === 'form',
    mediaType,
  }: Partial<ContractParameter> = {},
): ContractParameter => ({ name: 'p', in: where, required: false, style, explode, mediaType, schema, told: {} });

/** What it says in the query, under a schema that may refer to these. */
const inQuery = (one: ContractParameter, p: string | readonly string[], all = {}): unknown =>
  said(one, { params: {}, query: { p }, headers: {} }, new Shape(one.schema, all));

/** The value that comes out at the far side, over the text of a request. */
function roundTrip(one: ContractParameter, value: unknown): unknown {
  const path = one.in === 'path' ? '/a/{p}/b' : '/a/b';
  const operation: ContractOperation = {
    id: 'o',
    method: 'GET',
    path,
    parameters: [one],
    body: undefined,
    answers: [],
    told: {},
  };
  const placed = place(operation, [[one, value]]);
  const url = pathOf(templateOf({} as never, new URL('http://a')), { path: placed.path, query: placed.query });
  const target = readTarget(url);
  assert.ok(target.problem === undefined, url);
  const routes = new Routes<true>();
  const parsed = parsePath(path);
  assert.ok(!('problem' in parsed));
  routes.add('GET', parsed, true);
  const found = routes.find('GET', target.path);
  assert.ok(found?.value, url);
  const written = { params: found.params, query: readQuery(target.query) ?? {}, headers: placed.headers };
  const read = said(one, written, new Shape(one.schema, {}));
  assert.equal(read?.problem, undefined, url);
  return read?.value;
}

const cases: readonly (readonly [ContractParameter, unknown])[] = [
  [parameter('path', { type: 'string' }), 'a/b c?d&e=f#ü%'],
  [parameter('path', { type: 'integer' }), -12],
  [parameter('path', list), [1, 2, 3]],
  [parameter('path', object), { from: 1, to: 'b' }],
  [parameter('path', object, { explode: true }), { from: 1, to: 'b' }],
  [parameter('query', { type: 'string' }), 'a+b c&d=e,ü'],
  [parameter('query', { type: 'number' }), 1.5e-7],
  [parameter('query', { type: 'boolean' }), false],
  [parameter('query', { type: ['integer', 'null'] }), 3],
  [parameter('query', { anyOf: [{ type: 'integer' }, { type: 'boolean' }] }), true],
  [parameter('query', words), ['a,b', 'c d']],
  [parameter('query', list, { explode: false }), [1, 2]],
  [parameter('query', list, { style: 'spaceDelimited', explode: false }), [1, 2]],
  [parameter('query', words, { style: 'pipeDelimited', explode: false }), ['a', 'b,c']],
  [parameter('query', object), { from: 1, to: 'b' }],
  [parameter('query', object, { explode: false }), { from: 1, to: 'b' }],
  [parameter('query', object, { style: 'deepObject', explode: true }), { from: 1, to: 'b' }],
  [parameter('query', object, { mediaType: 'application/json' }), { from: 1, to: 'b,{}' }],
  [parameter('header', { type: 'string' }), 'plain text'],
  [parameter('header', list), [1, 2]],
  [parameter('header', object, { explode: true }), { from: 1, to: 'b' }],
  [parameter('cookie', { type: 'integer' }), 7],
  [parameter('cookie', { type: 'string' }), 'a=b; c%d'],
];

describe('parameters', () => {
  for (const [one, value] of cases) {
    const { in: where, style, explode, mediaType } = one;
    const how = mediaType ?? `${style}${explode ? ', exploded' : ''}`;
    test(`${where} (${how}): ${JSON.stringify(value)} arrives as it was`, () => {
      assert.deepEqual(roundTrip(one, value), value);
    });
  }

  test('text that is not what the schema asks for stays text', () => {
    for (const text of ['1e', '0x10', '1_000', ' 1', '+1', 'TRUE', 'yes', '']) {
      assert.deepEqual(inQuery(parameter('query', { type: ['integer', 'boolean'] }), text), { value: text });
    }
  });

  test('a schema that refers to itself says nothing more', () => {
    const all = { Loop: { anyOf: [{ $ref: '#/$defs/Loop' }, { type: 'integer' }] } };
    assert.deepEqual(inQuery(parameter('query', { $ref: '#/$defs/Loop' }), '5', all), { value: 5 });
  });

  test('given twice, what is no list is a mistake', () => {
    const twice = ['1', '2'];
    const problem = { problem: 'must be given once' };
    assert.deepEqual(inQuery(parameter('query', { type: 'integer' }), twice), problem);
    assert.deepEqual(inQuery(parameter('query', list, { explode: false }), twice), problem);
  });
});
