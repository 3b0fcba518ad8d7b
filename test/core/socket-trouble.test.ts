import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { socketTrouble } from '../../src/core/socket-trouble.ts';

describe('an error of a socket', () => {
  for (const [code, says, hopeless] of [
    ['ECONNREFUSED', /^nobody listens there \(ECONNREFUSED\)$/, undefined],
    ['CERT_HAS_EXPIRED', /^its certificate has expired \(/, true],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /for another host.*`tls\.servername`/, true],
    ['CERT_REVOKED', /^its certificate is not valid \(CERT_REVOKED\)$/, true],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /^TLS failed: .*does it accept our certificate\?/, true],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /^TLS failed: is it a TLS server/, true],
  ] as const) {
    test(`${code} is said in words, and whether waiting may help`, () => {
      const trouble = socketTrouble(code);
      assert.match(trouble?.detail ?? '', says);
      assert.equal(trouble?.hopeless, hopeless);
    });
  }

  test('that is none of the network is for others to explain', () => {
    for (const code of ['EACCES', '', undefined, 42]) assert.equal(socketTrouble(code), undefined);
  });
});
