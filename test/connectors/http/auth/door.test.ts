import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressOf } from '../../../../connectors/http/auth/door.ts';

describe('an address as a caller', () => {
  for (const [written, caller] of [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ] as const) {
    it(`${written} is ${caller}`, () => {
      assert.equal(addressOf(written), `address ${caller}`);
    });
  }
});
