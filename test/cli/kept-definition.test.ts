import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { compileKept } from '../../src/cli/kept-definition.ts';
import { prepare } from '../../src/cli/prepare.ts';
import type { IntegrationSource } from '../../src/core/written.ts';
import { definitionOf } from '../../src/flow/dead-letters/definition.ts';
import { Project } from './support/project.ts';

const yaml = `dowel: 1
name: shop
version: 1.0.0
config: { WHERE: {} }
flows:
  price:
    from: { timer: { every: 1h } }
    steps:
      - validate: { schema: ./schemas/order.json }
      - script: { module: ./price.ts, as: price }
`;

const files = {
  'integration.yaml': yaml,
  'schemas/order.json': '{ "type": "object" }',
  'price.ts': 'export default (): number => 1;\n',
};
const env = { WHERE: 'here' };

async function read(project: Project): Promise<IntegrationSource> {
  const { source, diagnostics } = await prepare(project.path(), { env, config: 'required' });
  assert.deepEqual(diagnostics, []);
  assert.ok(source);
  return source;
}

async function setUp(t: TestContext) {
  const project = new Project(t, files);
  const source = await read(project);
  return { project, source, definition: definitionOf(source) };
}

describe('the definition that gave a message up', () => {
  test('is compiled from its texts, whatever has become of the files', async (t) => {
    const { project, source, definition } = await setUp(t);
    project.write('integration.yaml', 'name: broken');
    project.write('schemas/order.json', 'no JSON');
    const program = await compileKept(definition, source, env);
    assert.ok(typeof program !== 'string', String(program));
    assert.deepEqual([...program.flows.keys()], ['price']);
    assert.equal(program.source.version, '1.0.0');
    assert.equal(definitionOf(program.source).hash, definition.hash);
  });

  test('lives where its integration lives now, under another name too', async (t) => {
    const { definition } = await setUp(t);
    const elsewhere = new Project(t, { 'shop.yaml': yaml, 'price.ts': files['price.ts'] });
    const program = await compileKept(definition, { file: elsewhere.path('shop.yaml') }, env);
    assert.ok(typeof program !== 'string', String(program));
    assert.equal(program.modules[0]?.path, elsewhere.path('price.ts'));
  });

  test('is refused where its configuration is not there any more', async (t) => {
    const { source, definition } = await setUp(t);
    const why = await compileKept(definition, source, {});
    assert.match(
      String(why),
      /does not work with the configuration, or the Dowel, of today: line 4: `WHERE` is not set/,
    );
  });

  test('is refused where its code is another, or gone: what it did then nobody can say', async (t) => {
    const { project, source, definition } = await setUp(t);
    project.write('price.ts', 'export default (): number => 2;\n');
    assert.match(String(await compileKept(definition, source, env)), /^the module price\.ts is not what it was then/);
    project.write('price.ts', files['price.ts']);
    assert.ok(typeof (await compileKept(definition, source, env)) !== 'string');
  });

  test('another text of any of its files is another definition', async (t) => {
    const { project, definition } = await setUp(t);
    for (const [name, text] of Object.entries(files)) {
      project.write(name, `${text}\n`);
      assert.notEqual(definitionOf(await read(project)).hash, definition.hash, name);
      project.write(name, text);
    }
    assert.equal(definitionOf(await read(project)).hash, definition.hash);
  });

  test('has no private keys in it: those of today serve', async (t) => {
    const withKey = yaml.replace(
      'flows:',
      'endpoints:\n  far: { http: { url: https://far.example, tls: { cert: ./own.crt, key: ./own.key } } }\nflows:',
    );
    const key = '-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n';
    const project = new Project(t, { ...files, 'integration.yaml': withKey, 'own.crt': 'CERT\n', 'own.key': key });
    const source = await read(project);
    const definition = definitionOf(source);
    assert.doesNotMatch(JSON.stringify(definition), /canary/);
    project.write('own.key', key.replace('canary', 'renewed'));
    assert.equal(definitionOf(await read(project)).hash, definition.hash);
    const program = await compileKept(definition, source, env);
    assert.ok(typeof program !== 'string', String(program));
    assert.match(program.source.texts.get(project.path('own.key')) ?? '', /renewed/);
  });
});
