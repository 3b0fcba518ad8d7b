import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Headers } from '../../src/core/exchange.ts';
import { cacheControl, conditionsOf, judge, varyOf } from '../../src/resilience/freshness.ts';

const now = Date.UTC(2026, 0, 1);
const at = (seconds: number): string => new Date(now + seconds * 1000).toUTCString();

const freshOf = (headers: Headers, options: { ttl?: number; took?: number; status?: number } = {}) => {
  const { refused, fresh } = judge(options.status ?? 200, headers, { now, took: options.took ?? 0 }, options.ttl);
  return refused ?? fresh;
};

describe('how long an answer is good (RFC 9111)', () => {
  const cases: readonly (readonly [string, Headers, number | string])[] = [
    ['max-age', { 'cache-control': 'max-age=60' }, 60_000],
    ['in any spelling', { 'cache-control': 'Public, MAX-AGE = "60"' }, 60_000],
    ['s-maxage wins over max-age', { 'cache-control': 'max-age=60, s-maxage=10' }, 10_000],
    ['max-age wins over Expires', { 'cache-control': 'max-age=60', expires: at(10), date: at(0) }, 60_000],
    ['Expires, by the sender’s clock', { expires: at(3630), date: at(3600) }, 30_000],
    ['Expires without a date, by ours', { expires: at(30) }, 30_000],
    ['an Expires that is no date has passed', { expires: '0' }, 0],
    ['a max-age that is no number has passed', { 'cache-control': 'max-age=soon' }, 0],
    ['of two the first counts', { 'cache-control': ['max-age=10', 'max-age=60'] }, 10_000],
    ['the age that others added is taken off', { 'cache-control': 'max-age=60', age: '45' }, 15_000],
    ['so is what its date says', { 'cache-control': 'max-age=60', date: at(-20) }, 40_000],
    ['a sender whose clock goes ahead is no younger', { 'cache-control': 'max-age=60', date: at(500) }, 60_000],
    ['one that is too old already', { 'cache-control': 'max-age=60', age: '90' }, 0],
    ['no-cache: only after asking', { 'cache-control': 'no-cache, max-age=60' }, 0],
    ['no-cache of a field counts for all', { 'cache-control': 'no-cache="set-cookie", max-age=60' }, 0],
    ['no-store', { 'cache-control': 'max-age=60, no-store' }, 'cache-control: no-store'],
    ['private', { 'cache-control': 'private, max-age=60' }, 'cache-control: private'],
    ['a cookie is for one', { 'cache-control': 'max-age=60', 'set-cookie': ['a=b'] }, 'set-cookie'],
    ['Vary: *', { 'cache-control': 'max-age=60', vary: 'accept, *' }, 'vary: *'],
    ['a directive inside of quotes is none', { 'cache-control': 'x="no-store, private", max-age=60' }, 60_000],
  ];
  for (const [title, headers, expected] of cases) {
    test(title, () => assert.equal(freshOf(headers), expected));
  }

  test('what the call took is part of its age', () => {
    assert.equal(freshOf({ 'cache-control': 'max-age=60', age: '5' }, { took: 2000 }), 53_000);
  });

  test('`ttl` is for answers that say nothing, whatever their age', () => {
    assert.equal(freshOf({}, { ttl: 5000 }), 5000);
    assert.equal(freshOf({ age: '100', date: at(-100) }, { ttl: 5000 }), 5000);
    assert.equal(freshOf({ 'cache-control': 'max-age=1' }, { ttl: 5000 }), 1000);
    assert.equal(freshOf({ 'cache-control': 'no-cache' }, { ttl: 5000 }), 0);
    assert.equal(freshOf({}), 0);
  });

  test('an error is kept only where it says so itself, a part never', () => {
    assert.equal(freshOf({}, { status: 404, ttl: 5000 }), 'status 404');
    assert.equal(freshOf({ 'cache-control': 'max-age=60' }, { status: 404 }), 60_000);
    for (const status of [206, 302, 500, 503]) {
      assert.equal(freshOf({ 'cache-control': 'max-age=60' }, { status, ttl: 5000 }), `status ${status}`);
    }
  });

  test('some may never be used when they are old', () => {
    const strict = (control: string): boolean => judge(200, { 'cache-control': control }, { now, took: 0 }, 1).strict;
    for (const control of ['no-cache', 'must-revalidate', 'proxy-revalidate', 's-maxage=1']) {
      assert.equal(strict(control), true, control);
    }
    assert.equal(strict('max-age=1'), false);
  });
});

test('directives are read by name, also broken ones', () => {
  assert.deepEqual(Object.fromEntries(cacheControl({ 'cache-control': 'a=1, b, c="x, \\"y\\"", , d=' })), {
    a: '1',
    b: '',
    c: 'x, \\"y\\"',
    d: '',
  });
  assert.deepEqual(Object.fromEntries(cacheControl({})), {});
});

test('Vary names headers, whatever its form', () => {
  assert.deepEqual(varyOf({ vary: ['Accept, x-tenant', ' Origin'] }), ['accept', 'x-tenant', 'origin']);
  assert.deepEqual(varyOf({}), []);
});

test('an answer is asked about by its ETag, else by its date', () => {
  assert.deepEqual(conditionsOf({ etag: 'W/"1"', 'last-modified': at(0) }), { 'if-none-match': 'W/"1"' });
  assert.deepEqual(conditionsOf({ 'last-modified': at(0) }), { 'if-modified-since': at(0) });
  assert.equal(conditionsOf({}), undefined);
});
