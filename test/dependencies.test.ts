import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

interface Locked {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
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
  // Before, headers that were too large were cut off without a word.
  amqplib: '2.3.1',
  chokidar: '6.0.0',
  croner: '11.0.0',
  'fast-uri': '3.1.0',
  jose: '6.2.0',
  'js-yaml': '5.5.0',
  // Before, an expression could run code.
  jsonata: '2.2.2',
  // Before, a connection that is refused at CONNACK is not tried again.
  mqtt: '5.16.0',
  pino: '10.0.0',
  saxes: '6.0.0',
  undici: '8.12.0',
};

const atLeast = (version: string, floor: string): boolean => {
  const [a = [], b = []] = [version, floor].map((one) => one.split('.').map(Number));
  for (const [index, part] of b.entries()) if (a[index] !== part) return (a[index] ?? 0) > part;
  return true;
};

/** By their places in `node_modules`: what these packages need, themselves included. */
function treeOf(names: readonly string[]): ReadonlySet<string> {
  const tree = new Set<string>();
  const add = (name: string, from: string): void => {
    // As Node looks for it: beside who needs it, then further up.
    for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
      const path = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
      const found = lock.packages[path];
      if (found) {
        if (tree.has(path)) return;
        tree.add(path);
        for (const needed of Object.keys(found.dependencies ?? {})) add(needed, path);
        return;
      }
      if (at === '') return;
    }
  };
  for (const name of names) add(name, '');
  return tree;
}

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

  test('the core has few packages, and the clients of brokers bring no more than is known', () => {
    const root = lock.packages['']?.dependencies ?? {};
    const { amqplib: _, mqtt: __, ...core } = root;
    const ofCore = treeOf(Object.keys(core));
    assert.ok(ofCore.size <= 30, `${ofCore.size} packages: ${[...ofCore].join(', ')}`);
    const all = treeOf(Object.keys(root));
    assert.ok(all.size <= 75, `${all.size} packages: ${[...all].join(', ')}`);
  });
});
