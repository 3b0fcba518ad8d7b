import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { root } from './support/child-process.ts';
import { runDowel, startDowel } from './support/dowel-process.ts';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/free-port.ts';
import { service } from './support/http-service.ts';
import { type Fence, fences, requestOf } from './support/page.ts';

const page = readFileSync(join(root, 'README.md'), 'utf8');
const all = fences(page);

const find = (language: string, beginning: string): Fence => {
  const found = all.find((one) => one.language === language && one.text.includes(beginning));
  if (!found) throw new Error(`the README has no ${language} block with ${beginning}`);
  return found;
};

function write(t: TestContext, name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-readme-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe('the README', () => {
  test('its first integration answers as it says', async (t) => {
    const file = write(t, 'hello.yaml', find('yaml', 'name: hello').text);
    await using hello = await startDowel(file, { env: { PORT: '0' } });
    const { url, init } = requestOf(find('sh', 'curl http://localhost:8080/greetings').text);
    const answer = await fetch(url.replace('http://localhost:8080', hello.url), init);
    assert.equal(answer.status, 200);
    assert.deepEqual(await answer.json(), JSON.parse(find('json', 'Hello, Ada!').text));
  });

  test('`dev` takes the second one over at once, on the same port', async (t) => {
    const file = write(t, 'hello.yaml', find('yaml', 'name: hello').text);
    const port = String(await freePort());
    await using dowel = await startDowel(file, { command: 'dev', env: { PORT: port } });
    writeFileSync(file, find('yaml', 'name: offers').text);
    const served = async (): Promise<boolean> => (await fetch(`http://127.0.0.1:${port}/offers/tea`)).status !== 404;
    await eventually('offers are served', served).catch((error: Error) => {
      throw new Error(dowel.describe(error.message));
    });
  });

  test('its tests of the second one pass', async (t) => {
    const file = write(t, 'hello.yaml', find('yaml', 'name: offers').text);
    writeFileSync(join(dirname(file), 'hello.test.yaml'), find('yaml', 'dowelTest: 1').text);
    const { code, stdout } = await runDowel(['test'], { cwd: dirname(file) });
    assert.equal(code, 0, stdout);
    assert.match(stdout, /\n2 passed /);
  });

  test('its second one asks two systems, decides, and answers', async (t) => {
    const up: { now: boolean } = { now: true };
    const inventory = await service(t, (request, response) => {
      if (!up.now) {
        request.socket.destroy();
        return;
      }
      const [, kind, sku] = (request.url ?? '').split('/');
      const stock = new Map([
        ['tea', 5],
        ['mug', 0],
      ]).get(sku ?? '');
      response.writeHead(stock === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(kind === 'stock' ? { available: stock } : { amount: 450 }));
    });
    const file = write(t, 'offers.yaml', find('yaml', 'name: offers').text);
    await using offers = await startDowel(file, { env: { PORT: '0', INVENTORY_URL: inventory } });
    const ask = async (sku: string): Promise<readonly [number, unknown]> => {
      const answer = await fetch(`${offers.url}/offers/${sku}`);
      return [answer.status, await answer.json()];
    };
    assert.deepEqual(await ask('tea'), [200, { sku: 'tea', price: 450, available: 5 }]);
    assert.deepEqual(await ask('mug'), [409, { error: 'out of stock' }]);
    assert.deepEqual(await ask('none'), [404, { error: 'unknown article' }]);
    up.now = false;
    assert.deepEqual(await ask('tea'), [503, { error: 'connection' }]);
  });

  test('its mistakes are told as it shows', async (t) => {
    const shown = find('text', 'bad-duration').text;
    const broken = [
      'dowel: 1',
      'name: hello',
      '',
      'config:',
      '  PORT: { type: integer, default: 8080 }',
      '',
      'server: { port: "${PORT}" }',
      '',
      'endpoints:',
      '  prices:',
      '    http: { url: http://localhost:9101 }',
      '    timeout: 2 sec',
      '',
      'flows:',
      '  greet:',
      '    from:',
      '      http: { method: POST, path: /greetings }',
      '    steps:',
      '      - call: { endpoint: price, http: { method: GET, path: "/prices/${{ sku }}" }, as: price }',
      '      - set: { variables: { total: "${{ $prise.amount * quantity }}" } }',
      '      - respond:',
      '          bdy: { text: "Hello, ${{ name }}!" }',
    ];
    const file = write(t, 'hello.yaml', broken.join('\n'));
    const { code, stdout } = await runDowel(['validate', 'hello.yaml'], { cwd: dirname(file) });
    assert.equal(code, 1);
    assert.equal(stdout.trim(), shown.trim());
  });

  test('its two command lines are those of the package, and its links lead somewhere', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    const lines = all.filter((one) => /npm install && npm /.test(one.text)).map((one) => one.text.trim());
    assert.deepEqual(lines, [
      'npm install && npm start',
      'apt-get install -y redis-server postgresql rabbitmq-server mosquitto nats-server kcat && npm install && npm test',
    ]);
    for (const name of ['start', 'test', 'bench']) assert.ok(scripts[name], name);
    for (const file of ['README.md', 'CONTRIBUTING.md', 'docs/operations.md', 'docs/decisions.md']) {
      const text = readFileSync(join(root, file), 'utf8');
      const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link = '']) => link);
      for (const link of links) assert.ok(existsSync(join(root, dirname(file), link)), `${file}: ${link}`);
    }
  });

  test('the commands that it names exist', async () => {
    const { stdout } = await runDowel(['--help']);
    const named = new Set([...page.matchAll(/npx dowel (\w+)/g)].map(([, name = '']) => name));
    for (const name of named) assert.match(stdout, new RegExp(`^ +dowel ${name}\\b`, 'm'));
  });
});
