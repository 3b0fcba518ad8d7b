import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passwordsIn, withoutPasswords } from '../../src/core/url-passwords.ts';

test('passwords in URLs are found, and taken out of texts', () => {
  const text = 'tried amqp://shop:p%40ss@a:5672/v, then redis://:other@b, not http://c:80/x@y or me@d.example';
  assert.deepEqual(passwordsIn(text), ['p%40ss', 'p@ss', 'other']);
  assert.equal(
    withoutPasswords(text),
    'tried amqp://shop:***@a:5672/v, then redis://:***@b, not http://c:80/x@y or me@d.example',
  );
  assert.deepEqual(passwordsIn('amqp://name@a, https://a/?q=b:c@d'), []);
  assert.equal(withoutPasswords('amqp://a:%zz@b'), 'amqp://a:***@b');
});
