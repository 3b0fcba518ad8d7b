import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Environment, finished, root } from '../support/child-process.ts';
import { DowelProcess } from '../support/dowel-process.ts';
import { freePorts } from '../support/free-port.ts';
import { build, type Image, makeReadOnly, makeWritable } from './image.ts';

const sample = `
dowel: 1
name: sample
config: { PORT: { type: integer }, ADMIN_PORT: { type: integer } }
server: { port: "\${PORT}", host: 127.0.0.1 }
admin: { port: "\${ADMIN_PORT}" }
flows:
  price:
    from: { http: { method: POST, path: /prices } }
    steps:
      - validate: { schema: ./item.schema.json }
      - script: { module: ./price.ts, as: price }
      - log: { message: asked }
      - delay: { for: 300ms }
      - respond: { body: { price: "\${{ $price }}" } }
`;

/** The base image's `node`, where a user other than ours can run it too. */
function nodeFor(image: Image, folder: string): string {
  if (image.user === undefined) return process.execPath;
  const { status } = spawnSync(process.execPath, ['--version'], { uid: image.user, gid: image.user });
  if (status === 0) return process.execPath;
  const copy = join(folder, 'node');
  copyFileSync(process.execPath, copy);
  return copy;
}

const ids = ({ user }: Image) => (user === undefined ? {} : { uid: user, gid: user });

describe('the image', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-image-'));
  let image: Image;
  let node: string;
  let env: Environment;

  before(async () => {
    chmodSync(folder, 0o755);
    image = build({
      dockerfile: readFileSync(join(root, 'Dockerfile'), 'utf8'),
      dockerignore: readFileSync(join(root, '.dockerignore'), 'utf8'),
      context: root,
      folder,
      path: [dirname(process.execPath), process.env['PATH']].join(delimiter),
    });
    node = nodeFor(image, folder);
    const integration = join(image.root, 'integration');
    mkdirSync(integration, { recursive: true });
    writeFileSync(join(integration, 'integration.yaml'), sample);
    writeFileSync(join(integration, 'item.schema.json'), '{ "type": "object", "required": ["quantity"] }');
    writeFileSync(
      join(integration, 'price.ts'),
      'export default (item: { readonly quantity: number }): number => item.quantity * 3;\n',
    );
    const [port = 0, adminPort = 0] = await freePorts(2);
    env = { ...image.env, NODE_COMPILE_CACHE: undefined, PORT: String(port), ADMIN_PORT: String(adminPort) };
    makeReadOnly(join(image.root, 'app'));
  });

  after(() => {
    makeWritable(folder);
    rmSync(folder, { recursive: true });
  });

  const start = (more: Record<string, string> = {}): DowelProcess => {
    const [program, ...args] = image.command;
    assert.equal(program, 'node');
    return new DowelProcess(node, args, { env: { ...env, ...more }, cwd: image.cwd, user: image.user });
  };
  const healthcheck = () => {
    const [program, ...args] = image.healthcheck;
    assert.equal(program, 'node');
    // In a container the usual port is always free; here it may be somebody else's.
    const port = ['--port', env['ADMIN_PORT'] ?? ''];
    return finished(node, [...args, ...port], { env, cwd: image.cwd, user: image.user });
  };
  const ready = (dowel: DowelProcess): Promise<void> =>
    dowel.until('it is ready', () => dowel.logged('ready') !== undefined);

  test('starts the integration that is mounted, is healthy, answers, and ends with 0 when it is told to stop', async () => {
    const before = await healthcheck();
    assert.equal(before.code, 1, 'nothing runs yet');
    await using dowel = start();
    await ready(dowel);
    const { code, stdout, stderr } = await healthcheck();
    assert.deepEqual([code, stdout, stderr], [0, '', '']);

    const ask = (body: unknown): Promise<Response> =>
      fetch(`${dowel.url}/prices`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const answer = await ask({ quantity: 4 });
    assert.deepEqual(await answer.json(), { price: 12 });
    assert.equal((await ask({})).status, 400);

    const last = ask({ quantity: 5 });
    await dowel.until('it is under way', () => dowel.log.filter((line) => line.message === 'asked').length === 2);
    assert.deepEqual(await dowel.stop('SIGTERM'), { code: 0, signal: null });
    assert.deepEqual(await (await last).json(), { price: 15 }, 'what was under way is finished');
    assert.equal(dowel.stderr, '');
  });

  test('runs as a user who can change nothing of it, and changes nothing', async () => {
    const app = join(image.root, 'app');
    const files = globSync('**', { cwd: app }).sort();
    const times = files.map((file) => statSync(join(app, file)).mtimeMs);
    const { status } = spawnSync('test', ['-w', join(app, 'bin', 'dowel.js')], ids(image));
    assert.equal(status, 1, 'the code cannot be written');
    await using dowel = start();
    await ready(dowel);
    assert.equal((await dowel.stop()).code, 0);
    assert.deepEqual(globSync('**', { cwd: app }).sort(), files);
    assert.deepEqual(
      files.map((file) => statSync(join(app, file)).mtimeMs),
      times,
    );
  });

  test('has its code compiled already', async () => {
    await using dowel = start({ NODE_DEBUG_NATIVE: 'COMPILE_CACHE' });
    await ready(dowel);
    await dowel.stop();
    const text = dowel.stderr + dowel.stdout;
    // Not all: where the machine is slow, what is loaded after the first second is compiled for other flags of V8.
    const used = text.match(/(?<=cache for )\S+ \S+(?= was accepted)/g) ?? [];
    assert.ok(used.length > 100, `${used.length} files come from the cache`);
  });

  test('has nothing in it that only developing needs', () => {
    const packages = globSync('node_modules/{*,@*/*}/package.json', { cwd: join(image.root, 'app') });
    const names = packages.map((file) => dirname(file).replace('node_modules/', ''));
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly dependencies: Record<string, string>;
      readonly devDependencies: Record<string, string>;
    };
    for (const name of Object.keys(dependencies)) assert.ok(names.includes(name), name);
    // What a client of a broker needs besides is there for that one.
    const { packages: locked } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
    };
    const developing = Object.keys(devDependencies).filter((name) => locked[`node_modules/${name}`]?.dev === true);
    assert.ok(developing.length > 5);
    for (const name of developing) assert.ok(!names.includes(name), name);
  });

  test('explains what is wrong with a definition, and ends with 78', async () => {
    const file = join(image.root, 'integration', 'integration.yaml');
    writeFileSync(file, sample.replace('validate:', 'validat:'));
    try {
      await using dowel = start();
      assert.deepEqual(await dowel.ended, { code: 78, signal: null });
      assert.match(dowel.stderr, /validat/);
      assert.match(dowel.stderr, /integration\.yaml:11:9/);
    } finally {
      writeFileSync(file, sample);
    }
  });
});
