import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { Child, finished, root } from '../support/child-process.ts';
import { eventually } from '../support/eventually.ts';
import { takenPort } from '../support/free-port.ts';
import { service } from '../support/http-service.ts';
import { oldNode } from '../support/old-node.ts';
import { post } from './example.ts';

const script = join(root, 'bin', 'start.js');
const old = oldNode() ?? '';
const skip = old === '' && 'this machine has no Node older than 24';
const start = (args: readonly string[], env: Record<string, string> = {}) =>
  finished(process.execPath, [script, ...args], { env });

function isOpen(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = createConnection({ host: hostname, port: Number(port) });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

const auditFileIn = (stdout: string): string => /^ {2}cat (\S+)$/m.exec(stdout)?.[1] ?? '';

/** The processes that one has started. */
const childrenOf = (pid: number): readonly number[] =>
  spawnSync('ps', ['-A', '-o', 'ppid=,pid='], { encoding: 'utf8' })
    .stdout.split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([parent]) => parent === pid)
    .map(([, child = 0]) => child);

/** Where the parts of a started scenario listen, from what it printed. */
const urlsIn = (stdout: string): readonly string[] =>
  [...stdout.matchAll(/^ {2}(?:order|inventory|payments|shipping) +(http:\S+)/gm)].map(([, url = '']) => url);

describe('npm start -- --once', () => {
  test('plays the whole scenario, says that all is right, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await finished('npm', ['start', '--silent', '--', '--once']);
    assert.equal(code, 0, stdout + stderr);
    assert.equal(stderr, '');
    for (const title of ['A good order', 'Out of stock', 'Bad input', 'given back', 'is down', 'is back']) {
      assert.match(stdout, new RegExp(`^✓ .*${title}`, 'm'));
    }
    assert.doesNotMatch(stdout, /✗/);
    assert.match(stdout, /payments: refunded/);
    assert.match(stdout, /^All \d+ answers are right\.$/m);
    const urls = urlsIn(stdout);
    assert.equal(urls.length, 4);
    for (const url of urls) assert.equal(await isOpen(url), false, `${url} is closed`);
  });

  test('ends with 1 when answers are wrong, and says which and what was expected', async (t) => {
    // An inventory that always has enough: what is out of stock is sold.
    const INVENTORY_URL = await service(t, (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"available":99,"amount":450}');
    });
    const { code, stdout } = await start(['--once'], { INVENTORY_URL });
    assert.equal(code, 1, stdout);
    assert.match(stdout, /^✓ A good order/m);
    assert.match(stdout, /^✗ Out of stock/m);
    assert.match(stdout, /✗ 409 was expected/);
    assert.match(stdout, /✗ payments: charged, not nothing charged/);
    assert.match(stdout, /^1 of \d+ are wrong\.$/m);
  });

  test('ends with 1 when what it needs is not there', async () => {
    const { code, stdout } = await start(['--once'], { INVENTORY_URL: 'http://127.0.0.1:1' });
    assert.equal(code, 1, stdout);
    assert.match(stdout, /^✗ A good order/m);
  });

  test('two at once both play it, each on a free port where the usual one is taken, and say so', async (t) => {
    const holder = createServer();
    // When somebody else has it already, so much the better.
    await new Promise<void>((resolve) => {
      holder.once('error', () => resolve());
      holder.listen(8080, '127.0.0.1', resolve);
    });
    t.after(() => holder.close());
    for (const { code, stdout, stderr } of await Promise.all([start(['--once']), start(['--once'])])) {
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /^All \d+ answers are right\.$/m);
      assert.match(stdout, /^ {2}order +http:\/\/127\.0\.0\.1:\d+ \(8080 is taken\)$/m);
    }
  });

  test('says in a line that the port it was given is taken, and starts nothing', async () => {
    await using taken = await takenPort();
    const { code, stdout, stderr } = await start(['--once'], { PORT: String(taken.port) });
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, new RegExp(`^npm start: Port ${taken.port} is taken: .*\\n$`));
  });

  test('works from an older Node too, which hands over to a newer one', { skip }, async () => {
    const { code, stdout, stderr } = await finished(old, [script, '--help']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /PORT/);
  });

  test('explains an argument that it does not know', async () => {
    const { code, stderr } = await start(['--onec']);
    assert.equal(code, 2);
    assert.match(stderr, /--onec/);
    assert.match(stderr, /npm start -- --once/);
    const help = await start(['--help']);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /PORT/);
  });
});

describe('npm start', () => {
  const stayingUp = async (): Promise<{ child: Child; urls: readonly string[] }> => {
    const child = new Child(process.execPath, [script]);
    await child.until('it is up to stay', () => child.stdout.includes('Ctrl-C'), 60_000);
    return { child, urls: urlsIn(child.stdout) };
  };

  test('stays up for more; Ctrl-C ends all its processes, with 0', async () => {
    const { child, urls } = await stayingUp();
    await using _ended = child;
    const order = { orderId: 'B1', sku: 'mug', quantity: 3, country: 'AT' };
    assert.ok(child.stdout.includes('"orderId": "B1", "sku": "mug", "quantity": 3, "country": "AT"'));
    const { status } = await post(`${urls[0]}/orders`, order);
    assert.equal(status, 201);
    const audit = auditFileIn(child.stdout);
    assert.ok(existsSync(audit), audit);
    assert.deepEqual(await child.stop('SIGINT'), { code: 0, signal: null });
    for (const url of urls) assert.equal(await isOpen(url), false, `${url} is closed`);
    assert.equal(existsSync(dirname(audit)), false, 'its folder is gone');
  });

  test('says which of its processes has ended, and why, and ends the others', async () => {
    const { child, urls } = await stayingUp();
    await using _ended = child;
    const [, , payments] = childrenOf(child.pid);
    process.kill(payments ?? 0, 'SIGKILL');
    assert.deepEqual(await child.ended, { code: 1, signal: null });
    assert.match(child.stderr, /^npm start: \w+ has ended; its last words:\n[\s\S]*"ready"/);
    for (const url of urls) assert.equal(await isOpen(url), false, `${url} is closed`);
  });

  test('is stopped while it tries out: 130, and nothing goes on', async () => {
    await using child = new Child(process.execPath, [script]);
    await child.until('it has begun', () => child.stdout.includes('A good order'), 60_000);
    assert.deepEqual(await child.stop('SIGINT'), { code: 130, signal: null });
    assert.doesNotMatch(child.stdout, /Ctrl-C/);
    assert.equal(child.stderr, '');
    for (const url of urlsIn(child.stdout)) assert.equal(await isOpen(url), false, `${url} is closed`);
  });

  test('leaves no process behind when it is killed', async () => {
    const { child, urls } = await stayingUp();
    await using _ended = child;
    await child.stop('SIGKILL');
    rmSync(dirname(auditFileIn(child.stdout)), { recursive: true });
    await eventually('all ports are closed', async () => !(await Promise.all(urls.map(isOpen))).includes(true));
  });
});
