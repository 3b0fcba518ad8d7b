import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { command } from '../../src/cli/dead-letters.ts';
import { UsageError } from '../../src/cli/usage.ts';
import { Child } from '../support/child-process.ts';
import { runDowel, startDowel } from '../support/dowel-process.ts';
import { Project } from './support/project.ts';
import { buried, Shop, secret, token, yaml } from './support/shop.ts';

const idOf = (letter: Readonly<Record<string, unknown>> | undefined): string => String(letter?.['id']);

describe('dead letters of a running integration', { concurrency: 2 }, () => {
  test('are listed, shown, replayed when the backend works again, and discarded', async (t) => {
    const shop = await Shop.open(t);
    shop.fail();
    await using running = await shop.start();
    await shop.bury(running, { a: '{"n":  1.50}' });
    await shop.bury(running, { b: '{"n":2}' });

    const list = await shop.letters('list');
    assert.equal(list.code, 0);
    assert.match(list.stdout, /^ID +FAILED +FLOW +CODE +ATTEMPTS +DETAIL\n/);
    assert.match(list.stdout, /^[\da-f-]{36} +\d{4}-\d\d-\d\dT[\d:]{8}Z +take +http-503 +2 +backend answered 503$/m);
    assert.equal(list.stdout.split('\n').length, 4);

    const [b, a] = await shop.listed();
    const shown = await shop.letters('show', idOf(a));
    assert.equal(shown.code, 0);
    assert.match(shown.stdout, /^error +http-503 \(transient\): backend answered 503$/m);
    assert.match(shown.stdout, /^params +\{"id":"a"\}$/m);
    assert.match(shown.stdout, /^header +content-type: application\/json$/m);
    assert.ok(shown.stdout.endsWith('\n\n{"n":  1.50}\n'), shown.stdout);
    assert.equal((await shop.letters('show', idOf(a), '--body')).stdout, '{"n":  1.50}');

    const failed = await shop.letters('replay', idOf(a));
    assert.equal(failed.code, 1);
    assert.match(failed.stdout, /failed again: http-503: backend answered 503 \(4 attempts so far\)\n$/);
    assert.match(failed.stderr, /^0 done, 1 failed again, 0 not replayed$/m);

    shop.mend();
    const done = await shop.letters('replay', idOf(a));
    assert.deepEqual([done.code, done.stdout], [0, `${idOf(a)}  done\n`]);
    assert.equal(shop.received.at(-1), 'PUT /orders/a {"n":  1.50}');
    assert.deepEqual((await shop.listed()).map(idOf), [idOf(b)]);

    const gone = await shop.letters('discard', idOf(b), idOf(a), '--why', 'sent again by hand');
    assert.equal(gone.code, 1);
    assert.match(
      gone.stdout,
      new RegExp(`^${idOf(b)}  discarded\\n${idOf(a)}  not discarded: There is no dead letter`),
    );
    assert.equal(running.logged('a dead letter was discarded')?.['reason'], 'sent again by hand');
    const none = await shop.letters('list');
    assert.deepEqual([none.code, none.stdout, none.stderr], [0, '', 'no dead letters\n']);
  });

  test('filters and --all choose; nobody replays a letter twice, however many try', async (t) => {
    const shop = await Shop.open(t);
    shop.fail();
    await using running = await shop.start();
    await shop.bury(running, Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`o${i}`, `{"n":${i}}`])));
    assert.equal((await shop.listed('--flow', 'other')).length, 0);
    assert.equal((await shop.listed('--code', 'http-5xx', '--since', '1h', '--limit', '5')).length, 5);
    assert.equal((await shop.listed('--until', '1h')).length, 0);
    const misspelt = await shop.letters('list', '--flow', 'tak');
    assert.equal(misspelt.stderr, 'no dead letters; the file has no flow tak; did you mean take?\n');
    assert.match(
      (await shop.letters('replay', '--code', 'time-out')).stderr,
      /^no dead letters; did you mean --code timeout\?$/m,
    );
    const timesOf = async (...args: readonly string[]) => (await shop.listed(...args)).map(({ failedAt }) => failedAt);
    const times = await timesOf('--order', 'oldest');
    assert.deepEqual(times, times.toSorted());
    assert.deepEqual(await timesOf(), times.toReversed());

    shop.mend();
    shop.received.length = 0;
    const both = await Promise.all([
      shop.letters('replay', '--all', '--rate', '100/s', '--format', 'json'),
      shop.letters('replay', '--flow', 'take', '--format', 'json'),
    ]);
    const outcomes = both.flatMap(({ stdout }) => (JSON.parse(stdout) as { letters: { outcome: string }[] }).letters);
    assert.equal(outcomes.filter(({ outcome }) => outcome === 'done').length, 12);
    assert.deepEqual(shop.received.toSorted(), [...new Set(shop.received)].toSorted(), 'each once');
    assert.equal(shop.received.length, 12);
    assert.deepEqual(await shop.listed(), []);
  });

  test('without the right token they are not changed, and the message says what to do', async (t) => {
    const shop = await Shop.open(t);
    shop.fail();
    await using running = await shop.start();
    await shop.bury(running, { a: '{}' });
    const [letter] = await shop.listed();
    for (const ADMIN_TOKEN of ['', 'wrong-token']) {
      const { code, stdout } = await shop.lettersWith({ ADMIN_TOKEN }, 'discard', idOf(letter), '--why', 'x');
      assert.equal(code, 1);
      assert.match(stdout, /not discarded: This needs the admin token.*taken from `admin.token` of the file/);
    }
    await running.stop();
    await using open = await shop.start({ ADMIN_TOKEN: '' });
    assert.equal((await shop.lettersWith({ ADMIN_TOKEN: '' }, 'list')).stdout.split('\n').length, 3);
    const refused = await shop.lettersWith({ ADMIN_TOKEN: '' }, 'replay', idOf(letter));
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /Nothing can be changed here without an admin token.*Or stop the integration/);
    assert.equal(shop.received.length, 2);
    await open.stop();
  });

  test('another integration on its port is not taken for it; the store that is in use says where to look', async (t) => {
    const shop = await Shop.open(t);
    const other = await Shop.open(t, yaml().replace('name: shop', 'name: other'));
    await using first = await other.start({ ADMIN_PORT: String(shop.adminPort) });
    // As it happens with the usual port, which several may want.
    await using second = await startDowel(shop.file, {
      env: shop.environment({ ADMIN_PORT: String(other.adminPort) }),
    });
    const lost = await shop.letters('list');
    assert.equal(lost.code, 69);
    assert.match(lost.stderr, /store .*in use.*at 127\.0\.0\.1:\d+ answers another integration, other.*--port/);
    assert.equal((await shop.letters('list', '--port', String(second.adminPort))).code, 0);
    const wrong = await shop.letters('list', '--port', String(first.adminPort));
    assert.equal(wrong.code, 69);
    assert.match(wrong.stderr, /admin server of shop could not be opened: at .* answers another integration, other/);
  });
});

describe('dead letters of an integration that does not run', { concurrency: 2 }, () => {
  test('are handled on its store: replayed with its endpoints, without its sources', async (t) => {
    const shop = await Shop.open(t);
    shop.fail();
    const running = await shop.start();
    // One after the other: side by side they may be buried in any order.
    await shop.bury(running, { a: '{"n":1}' });
    await shop.bury(running, { b: '{"n":2}', c: '{"n":3}' });
    await running.stop();

    const letters = await shop.listed('--order', 'oldest');
    assert.equal(letters.length, 3);
    const failed = await shop.letters('replay', idOf(letters[0]));
    assert.equal(failed.code, 1);
    shop.mend();
    shop.received.length = 0;
    assert.equal((await shop.letters('discard', idOf(letters[2]), '--why', 'x')).code, 0);
    const done = await shop.letters('replay', '--all');
    assert.equal(done.code, 0, done.stderr);
    assert.equal(shop.received.length, 2);
    assert.equal(shop.received[1], 'PUT /orders/a {"n":1}', 'that which failed last is the last');
    const none = await shop.letters('list');
    assert.deepEqual([none.code, none.stderr], [0, 'no dead letters\n']);
  });

  test('a replay that is killed loses nothing', async (t) => {
    const shop = await Shop.open(t);
    shop.fail();
    const running = await shop.start();
    await shop.bury(running, { a: '{"n":1}' });
    await running.stop();
    const [letter] = await shop.listed();
    shop.received.length = 0;
    shop.answer = () => {};
    const args = ['bin/dowel.js', 'dead-letters', 'replay', shop.file, idOf(letter)];
    const replaying = new Child(process.execPath, args, { env: shop.environment() });
    t.after(() => replaying[Symbol.asyncDispose]());
    await replaying.until('the backend was asked', () => shop.received.length > 0);
    await replaying.stop('SIGKILL');
    assert.deepEqual((await shop.listed()).map(idOf), [idOf(letter)]);
    const early = await shop.letters('replay', idOf(letter));
    assert.equal(early.code, 1);
    assert.match(
      early.stdout,
      /is being replayed by somebody\. If that process has died, it is free again in a minute/,
    );
  });

  test('a replay that is interrupted ends, and leaves the letter as it was', async (t) => {
    const shop = await Shop.open(t);
    shop.fail();
    const running = await shop.start();
    await shop.bury(running, { a: '{"n":1}' });
    await running.stop();
    const before = await shop.listed();
    shop.received.length = 0;
    shop.answer = () => {};
    const args = ['bin/dowel.js', 'dead-letters', 'replay', shop.file, '--all'];
    const replaying = new Child(process.execPath, args, { env: shop.environment({ DOWEL_DRAIN_TIMEOUT: '100ms' }) });
    t.after(() => replaying[Symbol.asyncDispose]());
    await replaying.until('the backend was asked', () => shop.received.length > 0);
    const { code } = await replaying.stop('SIGINT');
    assert.equal(code, 130, replaying.describe('as shells count it'));
    assert.match(replaying.stderr, /^0 done, 0 failed again, 0 not replayed$/m);
    assert.deepEqual(await shop.listed(), before);
  });

  test('so does one that only waits for its turn', async (t) => {
    const shop = await Shop.open(t);
    shop.fail();
    const running = await shop.start();
    await shop.bury(running, { a: '{"n":1}', b: '{"n":2}' });
    await running.stop();
    shop.mend();
    const args = ['bin/dowel.js', 'dead-letters', 'replay', shop.file, '--all', '--rate', '1/h'];
    const replaying = new Child(process.execPath, args, { env: shop.environment() });
    t.after(() => replaying[Symbol.asyncDispose]());
    await replaying.until('one is done', () => replaying.stdout.includes('done'));
    const { code } = await replaying.stop('SIGTERM');
    assert.equal(code, 143, replaying.describe('as shells count it'));
    assert.equal((await shop.listed()).length, 1);
    const last = await shop.letters('replay', '--all', '--rate', '1/h');
    assert.equal(last.code, 0, 'it does not wait for a turn that nobody takes');
  });

  test('the original definition is that of then, whatever the file says now', async (t) => {
    // It names a connector and a step that the later one does not.
    const old = yaml('      - send: { endpoint: list, file: { append: true } }', '/old/${{ $params.id }}');
    const shop = await Shop.open(
      t,
      old.replace('endpoints:\n', 'endpoints:\n  list: { file: { path: ./list.jsonl } }\n'),
    );
    shop.fail();
    const running = await shop.start();
    await shop.bury(running, { a: '{}' });
    await shop.bury(running, { b: '{}' });
    await running.stop();
    shop.project.write('integration.yaml', yaml('', '/new/${{ $params.id }}').replace('1.0.0', '2.0.0'));
    const [b, a] = await shop.listed();
    shop.mend();
    shop.received.length = 0;
    assert.equal((await shop.letters('replay', idOf(a), '--with', 'original')).code, 0);
    await using again = await shop.start();
    assert.equal((await shop.letters('replay', idOf(b), '--with', 'original')).code, 0);
    assert.deepEqual(shop.received, ['PUT /old/a {}', 'PUT /old/b {}']);
    assert.equal(readFileSync(shop.project.path('list.jsonl'), 'utf8').split('\n').length, 3);
    await again.stop();
  });

  test('to look for letters makes no store', async (t) => {
    const shop = await Shop.open(t);
    assert.deepEqual((await shop.letters('list')).stderr, 'no dead letters\n');
    const { code, stdout } = await shop.letters('replay', 'x');
    assert.equal(code, 1);
    assert.match(stdout, /There is no dead letter x/);
    assert.throws(() => readFileSync(shop.project.path('shop.dowel.db')), { code: 'ENOENT' });
  });

  test('a store in memory is where the integration runs, and nowhere else', async (t) => {
    const shop = await Shop.open(t, `${yaml()}\nstore: { memory: {} }\n`);
    const { code, stderr } = await shop.letters('list');
    assert.equal(code, 69);
    assert.match(
      stderr,
      /The store could not be opened: it is in the memory of the running integration, and no admin server answers at 127/,
    );
  });

  test('a file that is wrong, or whose configuration is missing, is explained', async (t) => {
    const shop = await Shop.open(t);
    const { code, stderr } = await runDowel(['dead-letters', 'list', shop.file]);
    assert.equal(code, 78);
    assert.match(stderr, /BACKEND/);
  });
});

describe('what is shown', { concurrency: 2 }, () => {
  test('a message that is no text, as base64 and as it is; one that would move the cursor, harmless', async (t) => {
    const shop = await Shop.open(t);
    shop.fail();
    await using running = await shop.start();
    const bytes = Uint8Array.of(0, 255, 27, 10);
    await shop.bury(running, { bytes }, 'application/octet-stream');
    await shop.bury(running, { text: '{"t":"\u001b[2Jaway\u202e"}' });
    const [text, binary] = await shop.listed();
    const shown = await shop.letters('show', idOf(binary));
    assert.match(shown.stderr, /The body is not shown here: it is no text/);
    const json = JSON.parse((await shop.letters('show', idOf(binary), '--format', 'json')).stdout);
    assert.deepEqual(json.body, { base64: Buffer.from(bytes).toString('base64') });
    assert.ok((await shop.letters('show', idOf(text))).stdout.endsWith('{"t":"\\u001b[2Jaway\\u202e"}\n'));
    assert.deepEqual(JSON.parse((await shop.letters('show', idOf(text), '--format', 'json')).stdout).body, {
      text: '{"t":"\u001b[2Jaway\u202e"}',
    });
  });

  test('no secret is in what is listed, shown, logged, answered or kept; not even one that a far side repeats', async (t) => {
    const shop = await Shop.open(t);
    // It tells what it was sent.
    shop.answer = (request, response) => {
      response.writeHead(422, { 'content-type': 'application/json', 'x-echo': String(request.headers.authorization) });
      response.end(JSON.stringify({ got: request.headers.authorization }));
    };
    await using running = await shop.start();
    const headers = {
      'content-type': 'application/json',
      authorization: 'Bearer canary-of-the-caller',
      cookie: 'c=canary-of-a-cookie',
    };
    await fetch(`${running.url}/orders/a`, { method: 'POST', headers, body: '{"n":1}' });
    await running.until('a dead letter', async () => (await buried(running)) === 1);
    const [letter] = await shop.listed();
    const outputs = [
      await shop.letters('list'),
      await shop.letters('list', '--format', 'json'),
      await shop.letters('show', idOf(letter)),
      await shop.letters('show', idOf(letter), '--format', 'json'),
      await shop.letters('replay', idOf(letter)),
      await shop.letters('replay', idOf(letter), '--format', 'json'),
    ].map(({ stdout, stderr }) => stdout + stderr);
    const admin = `http://127.0.0.1:${shop.adminPort}/dead-letters`;
    const authorization = `Bearer ${token}`;
    for (const path of ['', `/${idOf(letter)}`])
      outputs.push(await (await fetch(`${admin}${path}`, { headers: { authorization } })).text());
    await running.stop();
    outputs.push(running.stdout + running.stderr, (await shop.letters('replay', '--all')).stderr);
    for (const canary of [secret, token]) {
      assert.ok(!readFileSync(shop.project.path('shop.dowel.db'), 'latin1').includes(canary), 'nor in the store');
    }
    for (const canary of [secret, token, 'canary-of-the-caller', 'canary-of-a-cookie']) {
      for (const output of outputs) assert.ok(!output.includes(canary), `${canary} in: ${output.slice(0, 2000)}`);
    }
    assert.ok(outputs.every((output) => output.length > 0));
  });
});

describe('wrong usage of dead-letters', () => {
  const wrong = async (args: readonly string[], says: RegExp): Promise<void> => {
    await assert.rejects(command(args), (error: Error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message.split('\n')[0] ?? '', says);
      return true;
    });
  };

  test('is explained in one line', async (t) => {
    const { folder } = new Project(t, { 'integration.yaml': yaml() });
    const file = `${folder}/integration.yaml`;
    await wrong([], /something is missing: list, show, replay, discard$/);
    await wrong(['lst', file], /dead-letters has no lst; did you mean list\?/);
    await wrong([file], /say what to do with the dead letters of .*: list, show, replay, discard/);
    await wrong(['list'], /FILE is missing/);
    await wrong(['list', 'nowhere.yaml'], /there is no file nowhere\.yaml$/);
    await wrong(['list', file, 'x'], /one argument too many/);
    await wrong(['show', file], /^the ID of a letter, as `list` shows it, is missing$/);
    await wrong(
      ['replay', file],
      /say which letters to replay: their IDs, a filter such as --flow or --since, or --all/,
    );
    await wrong(['replay', file, 'x', '--all'], /not both/);
    await wrong(['replay', file, 'x', '--with', 'old'], /--with takes current, original, not old/);
    await wrong(
      ['replay', file, 'x', '--rate', '10 per second'],
      /--rate takes .* not 10 per second; did you mean 10\/s\?/,
    );
    await wrong(['replay', file, 'x', '--why', 'y'], /dead-letters replay takes no --why/);
    await wrong(['discard', file, 'x'], /say why, as in --why/);
    await wrong(['list', file, '--since', 'tomorrow'], /--since takes how long ago, such as 2h/);
    await wrong(['list', file, '--limit', '0'], /--limit takes a whole number/);
    await wrong(['list', file, '--format', 'xml'], /--format takes text, json, not xml/);
    await wrong(['list', file, '--port', 'x'], /--port takes a number/);
    await wrong(['list', file, '--flwo', 'x'], /Unknown option '--flwo'; did you mean --flow\?/);
  });
});
