/** Authorities and certificates for a test, made by openssl. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Pair {
  /** A certificate of this authority; `names` as in `DNS:a.example,URI:spiffe://a/b`. */
  issue(commonName: string, names?: string, days?: number): Pair;
}

export function authority(t: Pick<TestContext, 'after'>, name = 'An authority'): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-ca-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const at = (file: string): string => join(folder, file);
  const openssl = (...args: readonly string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', `/CN=${name}`);
  let count = 0;
  const read = (cert: string, key: string): Pair => ({
    cert: readFileSync(at(cert), 'utf8'),
    key: readFileSync(at(key), 'utf8'),
  });
  return {
    ...read('ca.pem', 'ca.key'),
    issue(commonName, names, days = 1) {
      const one = String(count++);
      openssl('req', ...newKey, '-keyout', `${one}.key`, '-out', `${one}.csr`, '-subj', `/O=Example/CN=${commonName}`);
      writeFileSync(at(`${one}.ext`), names === undefined ? '' : `subjectAltName=${names}\n`);
      const request = ['x509', '-req', '-in', `${one}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
      openssl(...request, '-days', String(days), '-extfile', `${one}.ext`, '-out', `${one}.pem`);
      return read(`${one}.pem`, `${one}.key`);
    },
  };
}
