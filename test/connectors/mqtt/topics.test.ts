import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileFilters, filterProblem, nameProblem } from '../../../connectors/mqtt/topics.ts';

const wildcards = (filter: string, topic: string): readonly string[] | undefined =>
  compileFilters([filter])(topic)?.wildcards;

test('`+` is one level, also an empty one; `#` is all the rest, also nothing', () => {
  assert.deepEqual(wildcards('a/+/c', 'a/b/c'), ['b']);
  assert.deepEqual(wildcards('a/+', 'a/'), ['']);
  assert.deepEqual(wildcards('+/+', '/x'), ['', 'x']);
  assert.deepEqual(wildcards('a/#', 'a/b/c'), ['b/c']);
  assert.deepEqual(wildcards('a/#', 'a'), ['']);
  assert.deepEqual(wildcards('#', 'a/b'), ['a/b']);
  assert.deepEqual(wildcards('a/b', 'a/b'), []);
  assert.equal(wildcards('a/+', 'a'), undefined);
  assert.equal(wildcards('a/+', 'a/b/c'), undefined);
  assert.equal(wildcards('a', 'a/b'), undefined);
  assert.equal(wildcards('a/b', 'a'), undefined);
});

test('wildcards do not reach the topics of the broker', () => {
  assert.equal(wildcards('#', '$SYS/uptime'), undefined);
  assert.equal(wildcards('+/uptime', '$SYS/uptime'), undefined);
  assert.deepEqual(wildcards('$SYS/#', '$SYS/uptime'), ['uptime']);
});

test('the first filter that matches is the one', () => {
  const match = compileFilters(['x', 'a/+', 'a/#']);
  assert.deepEqual(match('a/b'), { filter: 'a/+', wildcards: ['b'] });
  assert.deepEqual(match('a/b/c'), { filter: 'a/#', wildcards: ['b/c'] });
  assert.equal(match('b'), undefined);
});

test('what is legal as a filter, and as a name', () => {
  for (const filter of ['a', '#', '+', '+/+/#', '/a', 'a//b', '$SYS/#', 'mit blank/ä']) {
    assert.equal(filterProblem(filter), undefined, filter);
  }
  for (const name of ['a', '/a', 'a//b', '$aws/things', 'mit blank/ä', '*'])
    assert.equal(nameProblem(name), undefined, name);
  assert.match(nameProblem('$share/g/a') ?? '', /behind the group/);
  assert.match(nameProblem('ä'.repeat(40_000)) ?? '', /65535 bytes/);
  for (const bad of ['a\0', 'a\n', 'a\u009f', 'a\ufffe', 'a\ud800']) {
    assert.match(filterProblem(bad)?.message ?? '', /control character/);
    assert.match(nameProblem(bad) ?? '', /control character/);
  }
  assert.equal(filterProblem('a/*/**')?.suggestion, 'a/+/#');
});
