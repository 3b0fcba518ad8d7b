import assert from 'node:assert/strict';
import { constants } from 'node:fs';
import { chmod, mkdir, open, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { Body, type Endpoint, type Failure, failure, type Headers } from '#sdk';
import { openEndpoint } from '../../../connectors/file/endpoint.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { finished, root, scriptArgs } from '../../support/child-process.ts';
import { eventually } from '../../support/eventually.ts';
import { outgoing, type PlainContext, plainContext, sharing } from '../../support/plain-context.ts';
import { list, temporaryFolder } from './support/inbox.ts';

interface Setup {
  readonly folder: string;
  readonly path: string;
  readonly context: PlainContext;
  readonly endpoint: Endpoint;
  send(body: Body | string, operation?: object, ownHeaders?: Headers): Promise<unknown>;
}

async function setUp(t: TestContext, options: { path?: string; sync?: boolean } = {}): Promise<Setup> {
  const folder = await temporaryFolder(t);
  const path = join(folder, options.path ?? 'out');
  const context = plainContext({ clock: systemClock, name: 'archive' });
  const endpoint = await openEndpoint({ path, sync: options.sync ?? false }, context);
  t.after(() => endpoint.close());
  const send: Setup['send'] = (body, operation = {}) =>
    endpoint.handle(
      outgoing(context, { body: typeof body === 'string' ? Body.bytes(body, 'text/plain') : body, operation }),
    );
  return { folder, path, context, endpoint, send };
}

const streamBody = (stream: Readable, length?: number): Body =>
  Body.stream({ stream, length, limit: 100, tooLarge: (limit) => failure('too-large', { limit }) }, 'text/plain');

const streamOf = (parts: readonly string[], length?: number): Body =>
  streamBody(
    Readable.from(
      parts.map((part) => Buffer.from(part)),
      { objectMode: false },
    ),
    length,
  );

describe('replacing', () => {
  test('a message becomes the file; the next one replaces it; nothing else lies beside it', async (t) => {
    const { folder, path, send } = await setUp(t, { path: 'state.json', sync: true });
    await send(Body.value({ a: 1 }));
    assert.equal(await readFile(path, 'utf8'), '{"a":1}');
    await send('shorter');
    assert.equal(await readFile(path, 'utf8'), 'shorter');
    assert.deepEqual(await list(folder), ['state.json']);
  });

  test('an empty message makes an empty file', async (t) => {
    const { path, send } = await setUp(t);
    await send(Body.empty);
    assert.equal(await readFile(path, 'utf8'), '');
  });

  test('`name` names a file in the folder, which is made where it is missing', async (t) => {
    const { path, send } = await setUp(t, { path: 'deep/out' });
    await send('one', { name: 'a b.txt' });
    await send('two', { name: 2 });
    assert.deepEqual(await list(path), ['2', 'a b.txt']);
    await assert.rejects(send('x', { name: '../escaped' }), { code: 'validation', kind: 'permanent' });
    assert.deepEqual(await list(path, '..'), ['out']);
  });

  test('a stream is written without being collected, whatever its size', async (t) => {
    const { path, send } = await setUp(t);
    const parts = Array.from({ length: 50 }, (_, i) => `${i};`.repeat(1000));
    await send(streamOf(parts));
    assert.equal(await readFile(path, 'utf8'), parts.join(''));
  });

  test('a reader sees the old file or the new one, never a part', async (t) => {
    const { path, send } = await setUp(t);
    await send('0'.repeat(100_000));
    let done = false;
    const writing = (async () => {
      for (let i = 1; i < 40; i++) await send(String(i % 10).repeat(100_000));
      done = true;
    })();
    let seen = 0;
    while (!done) {
      assert.match(await readFile(path, 'latin1'), /^(\d)\1{99999}$/);
      seen++;
    }
    await writing;
    assert.ok(seen > 0);
  });

  test('a stream that breaks off leaves the old file and no half one', async (t) => {
    const { folder, path, send } = await setUp(t);
    await send('old');
    const failing = Readable.from(
      (async function* () {
        yield Buffer.from('new');
        throw new Error('socket hang up');
      })(),
    );
    await assert.rejects(send(streamBody(failing)), {
      code: 'invalid-response',
      message: /broke off: socket hang up/,
    });
    await assert.rejects(send(streamOf(['ab', 'cd'], 10)), { message: /4 of 10 bytes arrived/ });
    assert.equal(await readFile(path, 'utf8'), 'old');
    assert.deepEqual(await list(folder), ['out']);
  });

  test('a message that is given up while its stream is written leaves nothing, and lets the stream go', async (t) => {
    const { folder, context, endpoint } = await setUp(t);
    const stream = new Readable({ read() {} });
    stream.push('half');
    const message = outgoing(context, { body: streamBody(stream) });
    const sending = endpoint.handle(message);
    await eventually('it is being written', async () => (await list(folder)).length === 1);
    message.life.abort(failure('deadline', { flow: 'orders' }));
    await assert.rejects(sending, { code: 'deadline' });
    assert.equal(stream.destroyed, true);
    assert.deepEqual(await list(folder), []);
  });

  test('a message that was given up before is not written', async (t) => {
    const { folder, context, endpoint } = await setUp(t);
    const message = outgoing(context, { body: Body.value(1) });
    message.life.abort(failure('aborted'));
    await assert.rejects(endpoint.handle(message), { code: 'aborted' });
    assert.deepEqual(await list(folder), []);
  });
});

describe('appending', () => {
  const append = { append: true, newline: true };

  test('each message is a line: JSON on one, text with its newline', async (t) => {
    const { path, send } = await setUp(t, { sync: true });
    await send(Body.value({ a: 1, text: 'two\nlines' }), append);
    await send(Body.bytes('{\r\n  "n": 12345678901234567890,\n  "s": "a\\nb"\n}\n', 'application/json'), append);
    await send('plain', append);
    await send('ended\n', append);
    assert.equal(
      await readFile(path, 'utf8'),
      '{"a":1,"text":"two\\nlines"}\n{    "n": 12345678901234567890,   "s": "a\\nb" }\nplain\nended\n',
    );
  });

  test('without `newline` the bytes are added as they are', async (t) => {
    const { path, send } = await setUp(t);
    for (const part of ['a', 'b\n', 'c']) await send(part, { append: true, newline: false });
    assert.equal(await readFile(path, 'utf8'), 'ab\nc');
  });

  test('a line begins on a line of its own: half a line of a process that died does not swallow it', async (t) => {
    const { path, send } = await setUp(t);
    await writeFile(path, 'whole\nhal');
    await send('next', append);
    await send('open', { append: true, newline: false });
    await send('last', append);
    assert.equal(await readFile(path, 'utf8'), 'whole\nhal\nnext\nopen\nlast\n');
  });

  test('many at once, from several endpoints of one process: no line is lost, broken or out of its sender’s order', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'audit.jsonl');
    const { share, open: stillOpen } = sharing();
    const context = plainContext({ clock: systemClock, share });
    const endpoints = await Promise.all([0, 1, 2].map(() => openEndpoint({ path, sync: false }, context)));
    const each = 200;
    await Promise.all(
      endpoints.map((endpoint, sender) =>
        Promise.all(
          Array.from({ length: each }, (_, n) => {
            const body = Body.value({ sender, n, filler: 'x'.repeat((n * 37) % 5000) });
            return endpoint.handle(outgoing(context, { body, operation: append }));
          }),
        ),
      ),
    );
    for (const endpoint of endpoints) await endpoint.close();
    assert.deepEqual(stillOpen(), []);
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    const parsed = lines.map((line) => JSON.parse(line) as { sender: number; n: number });
    assert.equal(parsed.length, 3 * each);
    for (const sender of [0, 1, 2]) {
      const order = parsed.filter((line) => line.sender === sender).map((line) => line.n);
      assert.deepEqual(order, [...Array(each).keys()]);
    }
  });

  test('several processes append to one file: no line is lost or broken', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'audit.jsonl');
    const appender = join(root, 'test', 'connectors', 'file', 'support', 'appender.ts');
    const ends = await Promise.all(
      ['a', 'b', 'c'].map((id) => finished(process.execPath, scriptArgs(appender, path, id, '150'))),
    );
    for (const end of ends) assert.equal(end.code, 0, end.stderr);
    // A process that comes upon half a write of another one begins with a newline: an empty line may be the result.
    const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
    const parsed = lines.map((line) => JSON.parse(line) as { id: string; n: number });
    assert.equal(new Set(parsed.map((line) => `${line.id} ${line.n}`)).size, 450);
    assert.equal(parsed.length, 450);
  });

  test('a log that was rotated goes on in a new file', async (t) => {
    const { path, send } = await setUp(t);
    await send('before', append);
    await rename(path, `${path}.1`);
    await send('after', append);
    assert.equal(await readFile(`${path}.1`, 'utf8'), 'before\n');
    assert.equal(await readFile(path, 'utf8'), 'after\n');
  });

  test('a link is followed where the file names the path, not where a message does', async (t) => {
    const { folder, path, send } = await setUp(t);
    const secret = join(folder, 'secret');
    await writeFile(secret, '');
    await mkdir(path);
    await symlink(secret, join(path, 'trap'));
    await assert.rejects(send('x', { ...append, name: 'trap' }), {
      code: 'file',
      kind: 'permanent',
      message: /symbolic link/,
    });
    assert.equal(await readFile(secret, 'utf8'), '');
    await send('replaced', { name: 'trap' });
    assert.equal(await readFile(secret, 'utf8'), '');
    const context = plainContext({ clock: systemClock });
    const linked = join(folder, 'current');
    await symlink(secret, linked);
    const fixed = await openEndpoint({ path: linked, sync: false }, context);
    await fixed.handle(outgoing(context, { body: Body.bytes('line', 'text/plain'), operation: append }));
    assert.equal(await readFile(secret, 'utf8'), 'line\n');
  });

  test('a pipe takes lines as well', { skip: process.platform === 'win32' && 'no named pipes' }, async (t) => {
    const { path, send } = await setUp(t, { sync: true });
    assert.equal((await finished('mkfifo', [path])).code, 0);
    const reader = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    await send('one', append);
    await send('two', append);
    const { buffer, bytesRead } = await reader.read(Buffer.alloc(100), 0, 100, null);
    await reader.close();
    assert.equal(buffer.toString('utf8', 0, bytesRead), 'one\ntwo\n');
  });
});

describe('errors', () => {
  const rejected = async (work: Promise<unknown>): Promise<Failure> => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof Error, 'it should have failed');
    assert.doesNotMatch(error.message, /\n/);
    return error as Failure;
  };

  test('a full disk fails what has no room, and leaves neither half lines nor half files', async (t) => {
    const { folder, path } = await setUp(t);
    // A limit of the file size stands in for a full disk: the write that crosses it is cut short in the same way.
    const script = join(root, 'test', 'connectors', 'file', 'support', 'full-disk.ts');
    const end = await finished('bash', ['-c', 'ulimit -f 8; exec "$0" "$@"', process.execPath, script, path]);
    assert.deepEqual(
      JSON.parse(end.stdout || '{}'),
      { filling: 'written', large: 'file', small: 'written', replaced: 'file' },
      end.stderr,
    );
    assert.equal(await readFile(path, 'utf8'), `${'x'.repeat(6000)}\nsmall\n`);
    assert.deepEqual(await list(folder), ['out']);
  });

  test('/dev/full: no space left, in words', { skip: process.platform !== 'linux' && 'Linux only' }, async (t) => {
    const context = plainContext({ clock: systemClock });
    const endpoint = await openEndpoint({ path: '/dev/full', sync: true }, context);
    t.after(() => endpoint.close());
    const message = outgoing(context, { body: Body.value(1), operation: { append: true, newline: true } });
    const error = await rejected(endpoint.handle(message));
    assert.equal(error.message, 'The file /dev/full cannot be used: no space is left on the device (ENOSPC)');
    assert.equal(error.code, 'file');
    assert.equal(error.kind, 'transient');
  });

  test('a folder where a file should be says what to write', async (t) => {
    const { path, send } = await setUp(t);
    await mkdir(path);
    for (const operation of [{}, { append: true }]) {
      const error = await rejected(send('x', operation));
      assert.match(error.message, /cannot be used: it is a folder: give the `name` of a file in it \(EISDIR\)$/);
      assert.equal(error.kind, 'permanent');
    }
  });

  test('a file where a folder should be', async (t) => {
    const { path, send } = await setUp(t);
    await writeFile(path, '');
    for (const operation of [{ name: 'a' }, { name: 'a', append: true }]) {
      const error = await rejected(send('x', operation));
      assert.match(error.message, /a part of the path is not a folder \(ENOTDIR\)/);
      assert.equal(error.kind, 'permanent');
    }
  });

  test('no permission', { skip: process.getuid?.() === 0 && 'root may write anywhere' }, async (t) => {
    const { folder, send } = await setUp(t);
    await chmod(folder, 0o500);
    const error = await rejected(send('x'));
    assert.match(error.message, /permission denied \(EACCES\)/);
    assert.equal(error.kind, 'permanent');
  });

  test('a folder that cannot be made is found at start', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'file'), '');
    const context = plainContext({ clock: systemClock, name: 'archive' });
    await assert.rejects(openEndpoint({ path: join(folder, 'file', 'sub', 'x'), sync: false }, context), {
      code: 'startup',
      message:
        /^The folder \S+\/file\/sub of the endpoint `archive` could not be opened: a part of the path is not a folder/,
    });
  });
});
