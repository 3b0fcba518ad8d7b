import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Slot } from '#sdk';
import { check } from '../../../connectors/redis/check.ts';

/** Mistakes with secrets, which no file of mistakes can have in the open; the others are in the fixtures. */
const mistakes: readonly (readonly [string, Slot, object, string, RegExp])[] = [
  ['two passwords', 'endpoint', { url: 'redis://:a@r', password: 'b' }, 'password', /has a password already/],
  [
    'two users',
    'endpoint',
    { url: 'redis://u:p@r', username: 'v', password: undefined },
    'username',
    /names a user already/,
  ],
  ['a certificate without its key', 'endpoint', { url: 'rediss://r', tls: { cert: {} } }, 'tls', /add `key`/],
  ['options in the URL', 'endpoint', { url: 'redis://r?db=1' }, 'url', /options stand beside it/],
];

for (const [title, slot, options, at, says] of mistakes) {
  test(`${title} is one mistake, with what to write`, () => {
    const found: string[][] = [];
    check(options, (place, message) => found.push([place, message]), slot);
    assert.equal(found.length, 1);
    assert.equal(found[0]?.[0], at);
    assert.match(found[0]?.[1] ?? '', says);
  });
}
