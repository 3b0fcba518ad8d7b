import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

interface Locked {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')) as {
  readonly packages: Readonly<Record<string, Locked>>;
};
const locked = Object.entries(lock.packages)
  .filter(([path]) => path !== '')
  .map(([path, one]) => ({ ...one, name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length) }));
const shipped = locked.filter((one) => one.dev !== true);

/**
 * Below these versions a package has a known hole, or lacks what we build on. npm run by an old Node quietly resolves to
 * older majors whose `engines` fit it: this is how that is noticed.
 */
const floors: Readonly<Record<string, string>> = {
  ajv: '8.20.0',
  chokidar: '6.0.0',
  croner: '11.0.0',
  'fast-uri': '3.1.0',
  'js-yaml': '5.5.0',
  // Before, an expression could run code.
  jsonata: '2.2.2',
  pino: '10.0.0',
  saxes: '6.0.0',
  undici: '8.12.0',
};

const atLeast = (version: string, floor: string): boolean => {
  const [a = [], b = []] = [version, floor].map((one) => one.split('.').map(Number));
  for (const [index, part] of b.entries()) if (a[index] !== part) return (a[index] ?? 0) > part;
  return true;
};

describe('dependencies', () => {
  for (const [name, floor] of Object.entries(floors)) {
    test(`${name} is at least ${floor}`, () => {
      const versions = shipped.filter((one) => one.name === name).map((one) => one.version ?? '');
      assert.ok(versions.length > 0, `${name} is not in the lock file`);
      for (const version of versions) assert.ok(atLeast(version, floor), `${name} is ${version}`);
    });
  }

  test('nothing that is shipped runs code when it is installed: no native builds', () => {
    assert.deepEqual(
      shipped.filter((one) => one.hasInstallScript).map((one) => one.name),
      [],
    );
  });

  test('the tree that is shipped stays small', () => {
    assert.ok(shipped.length <= 30, `${shipped.length} packages: ${shipped.map((one) => one.name).join(', ')}`);
  });
});
