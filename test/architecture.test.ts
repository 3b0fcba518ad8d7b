import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = globSync(['src/**/*.ts', 'connectors/**/*.ts'], { cwd: root }).sort();

interface Import {
  readonly file: string;
  /** Of the file, or the bare specifier of a package. */
  readonly target: string;
  /** Only types: gone when it runs. */
  readonly type: boolean;
}

/** Every static, dynamic and type import, with relative targets resolved to the root. */
function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found = [
    ...text.matchAll(/^(import|export)(\s+type)?\s[^;]*?from\s+'([^']+)'/gm),
    ...text.matchAll(/^(import)(\s+type)?\s+'([^']+)'/gm),
    ...text.matchAll(/\b(import|require|createRequire\([^)]*\))(\s+type)?\(\s*'([^']+)'/g),
  ];
  return found.map(([, , type, specifier = '']) => ({
    file,
    target: specifier.startsWith('.') ? relative(root, join(root, dirname(file), specifier)) : specifier,
    type: type !== undefined,
  }));
}

const imports = files.flatMap(importsOf);
const within = (path: string, ...places: readonly string[]): boolean =>
  places.some((place) => path === place || path.startsWith(place.endsWith('/') ? place : `${place}/`));
const isPackage = (target: string): boolean => !target.startsWith('src/') && !target.startsWith('connectors/');
const isBuiltIn = (target: string): boolean => target.startsWith('node:');

/** What each layer may import besides itself and `node:`. */
const layers: Readonly<Record<string, readonly string[]>> = {
  'src/core/': ['src/errors.ts'],
  // `convert` lists the formats and their options: they are its language.
  'src/steps/': [
    'src/core/',
    'src/errors.ts',
    'src/schema/schema.ts',
    'src/schema/infer.ts',
    'src/schema/catch-entry.ts',
    'src/events/options.ts',
    'src/store/store.ts',
    'src/store/lease.ts',
    'src/store/entries.ts',
    'src/format/index.ts',
    'src/format/record-formats.ts',
  ],
  'src/events/': ['src/core/', 'src/errors.ts', 'src/schema/schema.ts', 'src/schema/infer.ts'],
  'src/resilience/': ['src/core/', 'src/errors.ts', 'src/schema/schema.ts', 'src/schema/infer.ts'],
  'src/store/': ['src/core/', 'src/errors.ts', 'src/schema/schema.ts', 'src/schema/infer.ts'],
  'src/expression/': ['src/core/', 'src/errors.ts', 'src/schema/nearest.ts'],
  'src/format/': ['src/core/', 'src/errors.ts'],
  'src/flow/': [
    'src/core/',
    'src/steps/',
    'src/events/',
    'src/resilience/',
    'src/expression/',
    'src/format/',
    'src/errors.ts',
    'src/schema/json-keywords.ts',
    'src/schema/nearest.ts',
    'src/schema/units.ts',
    'src/sdk.ts',
    'src/store/lease.ts',
    'src/store/store.ts',
  ],
  'src/schema/': [
    'src/core/contract.ts',
    'src/core/url-passwords.ts',
    'src/core/written.ts',
    'src/events/options.ts',
    'src/resilience/policy.ts',
    'src/store/options.ts',
    'src/errors.ts',
    'src/steps/step.ts',
    'src/expression/',
    'src/sdk.ts',
  ],
  'src/integration/': [
    'src/schema/',
    'src/core/contract.ts',
    'src/core/url-passwords.ts',
    'src/core/written.ts',
    'src/expression/holes.ts',
    'src/errors.ts',
  ],
  // Runs integrations as they are: it stands above all that an integration is made of, and knows no connector.
  'src/testing/': [
    'src/core/',
    'src/errors.ts',
    'src/expression/',
    'src/flow/',
    'src/format/',
    'src/integration/',
    'src/schema/',
    'src/sdk.ts',
    'src/store/memory.ts',
  ],
  'src/kubernetes/': [
    'src/core/credentials.ts',
    'src/core/url-passwords.ts',
    'src/core/written.ts',
    'src/flow/program.ts',
    'src/schema/node.ts',
    'src/store/open.ts',
    'src/store/options.ts',
  ],
  // What an integration is to others: by what its file says, and what connectors tell of themselves.
  'src/documents/': ['src/core/', 'src/sdk.ts'],
  'src/operations/': [
    'src/core/',
    'src/flow/runtime.ts',
    'src/flow/status.ts',
    'src/flow/dead-letters/',
    'src/resilience/circuit-breaker.ts',
    'src/schema/units.ts',
    'src/errors.ts',
    'src/listen-error.ts',
  ],
};

/**
 * Each package has one owner: replacing a library is one file or folder. Redis has two: a store gives up at once what it
 * cannot send, a connector waits, reads in blocks and listens; they share nothing but the protocol.
 */
const owners: Readonly<Record<string, string | readonly string[]>> = {
  '@nats-io/jetstream': 'connectors/nats',
  '@nats-io/transport-node': 'connectors/nats',
  '@platformatic/kafka': 'connectors/kafka',
  '@redis/client': ['src/store/redis', 'connectors/redis'],
  ajv: 'src/schema/validator.ts',
  amqplib: 'connectors/amqp',
  chokidar: 'src/operations/watch.ts',
  croner: 'connectors/timer/cron.ts',
  jose: 'connectors/http/auth/jwt.ts',
  'js-yaml': ['src/integration/yaml.ts', 'src/integration/write-yaml.ts'],
  jsonata: 'src/expression/jsonata.ts',
  mqtt: 'connectors/mqtt/link.ts',
  pg: 'src/store/postgres',
  pino: 'src/operations/logger.ts',
  saxes: 'src/format/xml-read.ts',
  undici: 'connectors/http',
};

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

const ownersOf = (target: string): readonly string[] => [owners[packageOf(target)] ?? []].flat();

describe('architecture', () => {
  for (const [layer, allowed] of Object.entries(layers)) {
    test(`${layer} imports only what stands below it`, () => {
      const wrong = imports
        .filter((one) => one.file.startsWith(layer) && !isPackage(one.target))
        .filter((one) => !within(one.target, layer, ...allowed))
        .map((one) => `${one.file} imports ${one.target}`);
      assert.deepEqual(wrong, []);
    });
  }

  test('a step imports no other step', () => {
    const wrong = imports
      .filter((one) => /^src\/steps\/[^/]+\.ts$/.test(one.file) && !/\/(index|load|step)\.ts$/.test(one.file))
      .filter((one) => /^src\/steps\/[^/]+\.ts$/.test(one.target) && one.target !== 'src/steps/step.ts')
      .map((one) => `${one.file} imports ${one.target}`);
    assert.deepEqual(wrong, []);
  });

  test('a connector imports only the sdk, its own folder and its own package', () => {
    const wrong = imports
      .filter((one) => /^connectors\/[^/]+\//.test(one.file))
      .filter((one) => !isBuiltIn(one.target) && one.target !== '#sdk')
      .filter((one) => !within(one.target, dirname(one.file).split('/').slice(0, 2).join('/')))
      .filter((one) => !ownersOf(one.target).some((owner) => within(dirname(one.file), dirname(owner), owner)))
      .map((one) => `${one.file} imports ${one.target}`);
    assert.deepEqual(wrong, []);
  });

  test('each package is imported by its owner alone', () => {
    const wrong = imports
      .filter((one) => isPackage(one.target) && !isBuiltIn(one.target) && !one.target.startsWith('#'))
      .filter((one) => {
        return !within(one.file, ...ownersOf(one.target));
      })
      .map((one) => `${one.file} imports ${one.target}`);
    assert.deepEqual(wrong, []);
  });

  const { dependencies, peerDependencies, peerDependenciesMeta, devDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly peerDependencies: Readonly<Record<string, string>>;
    readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>;
    readonly devDependencies: Readonly<Record<string, string>>;
  };

  test('the package lists exactly the packages that have an owner', () => {
    const listed = [...Object.keys(dependencies), ...Object.keys(peerDependencies)];
    assert.deepEqual(listed.sort(), Object.keys(owners).sort());
    for (const [name, version] of Object.entries(dependencies))
      assert.match(version, /^\d+\.\d+\.\d+$/, `${name} is pinned`);
  });

  test('what only some integrations need is optional, and the tests have one version of it', () => {
    for (const [name, range] of Object.entries(peerDependencies)) {
      assert.equal(peerDependenciesMeta[name]?.optional, true, `${name} is optional`);
      assert.equal(range, `^${devDependencies[name]}`, `${name} is tested in the least version that is allowed`);
    }
  });

  test('only the command line knows which connectors there are', () => {
    const wrong = imports
      .filter((one) => ['connectors/index.ts', 'connectors/load.ts'].includes(one.target))
      .filter((one) => !within(one.file, 'src/cli', 'connectors/index.ts'))
      .map((one) => one.file);
    assert.deepEqual(wrong, []);
  });

  test('nothing imports in a circle when it runs', () => {
    const edges = new Map(files.map((file) => [file, imports.filter((one) => one.file === file && !one.type)]));
    const circles: string[] = [];
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (done.has(file) || path.includes(file)) return;
      for (const edge of edges.get(file) ?? []) visit(edge.target, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    assert.deepEqual(circles, []);
  });

  test('waiting goes through the clock', () => {
    const wrong = files
      .filter((file) => file !== 'src/core/clock.ts')
      .filter((file) => /(?<!\.)\b(setTimeout|setInterval)\(|AbortSignal\.timeout|Date\.now\(/.test(code(file)));
    assert.deepEqual(wrong, []);
  });

  test('files stay short', () => {
    const long = files
      .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length }))
      .filter((one) => one.lines > 401);
    assert.deepEqual(long, []);
  });

  test('the http module is never imported statically: it costs a third of the start', () => {
    const wrong = imports.filter((one) => /^(node:)?https?$/.test(one.target) && !one.type).map((one) => one.file);
    assert.deepEqual(wrong, []);
  });
});

/** The file without comments and quoted text, roughly: enough to find calls. */
function code(file: string): string {
  return readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$|'[^'\n]*'/gm, '');
}
