import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Slot } from '#sdk';
import { check } from '../../../connectors/nats/check.ts';

/** Mistakes with secrets, which no file of mistakes can have in the open; the others are in the fixtures. */
const mistakes: readonly (readonly [string, Slot, object, string, RegExp])[] = [
  [
    'two ways to say who we are',
    'endpoint',
    { url: 'nats://n', username: 'u', token: 't' },
    'token',
    /by `username` or by `token`/,
  ],
  ['a user in the URL and beside it', 'endpoint', { url: 'nats://u:p@n', nkey: 's' }, 'nkey', /names a user already/],
  ['a password without a user', 'endpoint', { url: 'nats://n', password: 'p' }, 'password', /add `username`/],
  ['a certificate without its key', 'endpoint', { url: 'nats://n', tls: { cert: {} } }, 'tls', /add `key`/],
  ['WebSocket', 'endpoint', { url: 'wss://n' }, 'url', /WebSocket is not supported/],
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
