import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson } from '../../src/core/canonical-json.ts';

test('equal values are the same text, whatever the order of their keys', () => {
  assert.equal(canonicalJson({ b: [{ d: 1, c: 2 }], a: null }), '{"a":null,"b":[{"c":2,"d":1}]}');
  assert.notEqual(canonicalJson([1, 2]), canonicalJson([2, 1]));
  assert.equal(canonicalJson(undefined), '');
});

test('names that every object of JavaScript has, and numbers beyond 2^53, are values like others', () => {
  assert.equal(canonicalJson(JSON.parse('{"b":1,"__proto__":{"x":1}}')), '{"__proto__":{"x":1},"b":1}');
  assert.equal(canonicalJson({ n: 2n ** 64n }), '{"n":"18446744073709551616"}');
});
