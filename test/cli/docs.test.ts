import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseYaml } from '../../src/integration/yaml.ts';
import { plainValue } from '../../src/schema/node.ts';
import { isAsyncApi, isOpenApi } from '../documents/validators.ts';
import { runDowel, startDowel } from '../support/dowel-process.ts';
import { eventually } from '../support/eventually.ts';
import { answering, Project, serving } from './support/project.ts';

const readBack = (yaml: string): unknown => {
  const { root, findings } = parseYaml(yaml);
  assert.ok(root && findings.length === 0);
  return plainValue(root);
};

const api = (minimum: number): string => `
openapi: 3.1.0
info: { title: T, version: '1' }
paths:
  /orders:
    post:
      operationId: placeOrder
      requestBody: { content: { application/json: { schema: { $ref: './order.yaml#/Order' } } } }
      responses: { '204': { description: Placed } }
  /x: { get: { operationId: minimum-${minimum}, responses: {} } }
`;
const order = (minimum: number): string =>
  `Order: { type: object, properties: { quantity: { type: integer, minimum: ${minimum} } } }\n`;
const contracted = `dowel: 1
name: shop
server: { port: 0, host: 127.0.0.1 }
admin: { port: 0, token: "\${TOKEN}" }
config: { TOKEN: { secret: true } }
flows:
  place: { from: { http: { contract: { openapi: ./api.yaml, operation: placeOrder } } }, steps: [ { filter: { when: "false" } } ] }
`;

describe('dowel docs', () => {
  test('prints OpenAPI as YAML, and nothing else', async (t) => {
    const { folder: cwd } = new Project(t, { 'integration.yaml': answering('hi') });
    const { code, stdout, stderr } = await runDowel(['docs', 'integration.yaml'], { cwd });
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^openapi: 3\.1\.0\n/);
    await isOpenApi(readBack(stdout));
  });

  test('prints AsyncAPI where nothing is served, or when it is asked to', async (t) => {
    const timer =
      'dowel: 1\nname: t\nflows: { f: { from: { timer: { every: 1s } }, steps: [ { log: { message: a } } ] } }\n';
    const { folder: cwd } = new Project(t, { 'timer.yaml': timer, 'http.yaml': answering('hi') });
    for (const args of [['timer.yaml'], ['http.yaml', '--format', 'asyncapi']]) {
      const { code, stdout } = await runDowel(['docs', ...args], { cwd });
      assert.equal(code, 0);
      isAsyncApi(readBack(stdout));
    }
  });

  test('writes a file, as JSON when it is called so', async (t) => {
    const project = new Project(t, { 'integration.yaml': answering('hi') });
    const args = ['docs', 'integration.yaml', '--output'];
    const { code, stdout } = await runDowel([...args, 'api.json'], { cwd: project.folder });
    assert.deepEqual([code, stdout], [0, '']);
    await isOpenApi(JSON.parse(readFileSync(project.path('api.json'), 'utf8')));
    await runDowel([...args, 'api.yaml'], { cwd: project.folder });
    assert.match(readFileSync(project.path('api.yaml'), 'utf8'), /^openapi: 3\.1\.0\n/);
    const nowhere = await runDowel([...args, 'no/such/folder/api.yaml'], { cwd: project.folder });
    assert.deepEqual([nowhere.code, nowhere.stdout], [2, '']);
    assert.match(nowhere.stderr, /no\/such\/folder\/api\.yaml cannot be written \(ENOENT\)/);
  });

  test('a file with errors has no documents, but its errors, and 1; other formats are 2', async (t) => {
    const { folder: cwd } = new Project(t, { 'integration.yaml': serving('- respnd: { status: 200 }') });
    const broken = await runDowel(['docs', 'integration.yaml'], { cwd });
    assert.deepEqual([broken.code, broken.stdout], [1, '']);
    assert.match(broken.stderr, /^integration\.yaml:9:9 error: /);
    const wrong = await runDowel(['docs', 'integration.yaml', '--format', 'raml'], { cwd });
    assert.deepEqual([wrong.code, wrong.stdout], [2, '']);
    assert.match(wrong.stderr, /--format takes openapi, asyncapi, not raml/);
  });
});

describe('documents of a running integration', () => {
  test('are told by the admin server, with the token, and follow reloads of the files of a contract', async (t) => {
    const project = new Project(t, { 'integration.yaml': contracted, 'api.yaml': api(1), 'order.yaml': order(1) });
    const token = 'a-token-that-nobody-guesses';
    await using dowel = await startDowel(project.path(), { command: 'dev', env: { TOKEN: token } });
    const [, port] = /admin listening .*\bport=(\d+)/.exec(dowel.stderr) ?? [];
    const [, served] = /(?<!admin )listening .*\bport=(\d+)/.exec(dowel.stderr) ?? [];
    const at = (path: string): string => `http://127.0.0.1:${port}${path}`;
    const told = async (path: string): Promise<unknown> =>
      (await fetch(at(path), { headers: { authorization: `Bearer ${token}` } })).json();
    const place = async (quantity: number): Promise<number> => {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ quantity });
      return (await fetch(`http://127.0.0.1:${served}/orders`, { method: 'POST', headers, body })).status;
    };
    assert.equal((await fetch(at('/openapi.json'))).status, 401);
    const first = JSON.stringify(await told('/openapi.json'));
    await isOpenApi(JSON.parse(first));
    assert.match(first, /"minimum":1\b/);
    isAsyncApi(await told('/asyncapi.json'));
    assert.deepEqual([await place(1), await place(0)], [204, 400]);
    project.write('order.yaml', order(5));
    await eventually('the new schema holds', async () => (await place(1)) === 400);
    assert.match(JSON.stringify(await told('/openapi.json')), /"minimum":5\b/);
    project.write('api.yaml', api(1).replace('operationId: placeOrder', 'operationId: placeOrders'));
    await eventually('the mistake is explained', () => /did you mean `placeOrders`\?/.test(dowel.stderr));
    assert.equal(await place(5), 204);
  });
});
