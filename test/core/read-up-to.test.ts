import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Body } from '../../src/core/body.ts';
import { VirtualClock } from '../../src/core/clock.ts';
import { Life } from '../../src/core/life.ts';
import { seededRandom } from '../../src/core/random.ts';
import { readUpTo } from '../../src/core/read-up-to.ts';
import { failure } from '../../src/errors.ts';
import { plainCodec } from '../support/plain-context.ts';

const life = (): Life => new Life(new VirtualClock());

const streamed = (stream: Readable, length?: number): Body =>
  Body.stream(
    { stream, length, limit: 1_000_000, tooLarge: (limit) => failure('too-large', { limit }) },
    'text/plain',
    'far',
  );

/** Pieces that come one by one, some at once. */
function slowly(pieces: readonly Buffer[], pauses: () => boolean): Readable {
  async function* parts(): AsyncGenerator<Buffer> {
    for (const piece of pieces) {
      if (pauses()) await turn();
      yield piece;
    }
  }
  return Readable.from(parts(), { objectMode: false, highWaterMark: 64 });
}

/** Reads as the HTTP server does. */
const poured = (body: Body): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const stream = body.takeStream()?.stream;
    assert.ok(stream);
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => resolve(Buffer.concat(chunks)));
    stream.on('error', reject);
  });

test('a short body is whole, a long one a stream of which nothing is missing', async () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const pieces = Array.from({ length: Math.floor(random.next() * 8) }, () =>
      Buffer.from(Array.from({ length: 1 + Math.floor(random.next() * 90) }, () => Math.floor(random.next() * 256))),
    );
    const all = Buffer.concat(pieces);
    const most = Math.floor(random.next() * 300);
    const body = await readUpTo(streamed(slowly(pieces, () => random.next() < 0.5)), most, life(), 'far');
    assert.equal(body.isStream, all.length > most, `seed ${seed}`);
    assert.equal(body.contentType, 'text/plain');
    const bytes = body.isStream && random.next() < 0.5 ? await poured(body) : await body.bytes(plainCodec);
    assert.equal(Buffer.compare(Buffer.from(bytes as Uint8Array), all), 0, `seed ${seed}`);
  }
});

test('what says that it is too long is not read at all', async () => {
  const stream = Readable.from([Buffer.from('x')]);
  const body = streamed(stream, 1000);
  assert.equal(await readUpTo(body, 10, life(), 'far'), body);
  assert.equal(stream.readableDidRead, false);
});

test('what is no stream stays as it is', async () => {
  const body = Body.value({ n: 1 });
  assert.equal(await readUpTo(body, 1, life(), 'far'), body);
});

test('one that breaks off is told, with its reason', async () => {
  const broken = new Readable({ read() {} });
  broken.push('abc');
  const reading = readUpTo(streamed(broken), 10, life(), 'far');
  broken.destroy(failure('connection', { endpoint: 'far', detail: 'reset' }));
  await assert.rejects(reading, { code: 'connection', facts: { endpoint: 'far', detail: 'reset' } });
  const cut = new Readable({ read() {} });
  const waiting = readUpTo(streamed(cut), 10, life(), 'far');
  cut.destroy();
  await assert.rejects(waiting, { code: 'connection' });
});

test('waiting for one that does not come ends with the message, and gives its connection back', async () => {
  const stream = new Readable({ read() {} });
  const mine = life();
  const reading = readUpTo(streamed(stream), 10, mine, 'far');
  mine.abort(failure('deadline'));
  await assert.rejects(reading, { code: 'deadline' });
  assert.equal(stream.destroyed, true);
});
