import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { giveBack, onceWritten, Received } from '../../../connectors/http/received.ts';

class Pieces extends Received {
  override _read(): void {}
}

/** The memory of a piece, to be looked at when the piece itself says nothing any more. */
const memoryOf = (piece: Uint8Array): ArrayBuffer => piece.buffer as ArrayBuffer;

test('a piece that was written on gives its memory back, and only then', async () => {
  const server = createTcpServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  const write = async (piece: Uint8Array): Promise<void> => {
    const done = onceWritten(piece);
    await new Promise<void>((resolve, reject) => {
      socket.write(piece, (error) => {
        done?.(error);
        if (error) reject(error);
        else resolve();
      });
    });
  };
  const piece = (): Uint8Array => new Uint8Array(50_000);

  const relayed = new Pieces();
  const before = piece();
  relayed.receive(before);
  relayed.writeOn();
  const after = piece();
  relayed.receive(after);
  for (const one of [before, after]) {
    assert.equal(memoryOf(one).detached, false);
    await write(one);
    assert.equal(memoryOf(one).detached, true);
  }

  const kept = new Pieces();
  const looked = piece();
  kept.receive(looked);
  await write(looked);
  assert.equal(memoryOf(looked).detached, false, 'somebody may look at it again');
  const foreign = piece();
  await write(foreign);
  assert.equal(memoryOf(foreign).detached, false);

  const failing = piece();
  relayed.receive(failing);
  onceWritten(failing)?.(new Error('cut'));
  assert.equal(memoryOf(failing).detached, false, 'the system may still read it');

  socket.destroy();
  server.close();
  relayed.destroy();
  kept.destroy();
});

test('a piece that is kept keeps nothing of the connection it came on', async () => {
  const kept: Uint8Array[] = [];
  const receive = (): WeakRef<Received> => {
    const received = new Pieces();
    const one = new Uint8Array(300);
    received.receive(one);
    kept.push(one);
    return new WeakRef(received);
  };
  const bodies = Array.from({ length: 50 }, receive);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  await new Promise(setImmediate);
  collect();
  const alive = bodies.filter((one) => one.deref() !== undefined).length;
  assert.ok(alive <= 2, `${alive} of ${kept.length} are kept`);
});

test('memory that was given back already is left alone', () => {
  const piece = new Uint8Array(50_000);
  giveBack(piece);
  giveBack(piece);
  assert.equal(memoryOf(piece).detached, true);
});

test('memory in which others may have bytes stays', () => {
  const shared = new ArrayBuffer(100_000);
  giveBack(new Uint8Array(shared, 0, 60_000));
  assert.equal(shared.detached, false, 'something stands behind it');
  const pooled = Buffer.from('a small piece');
  giveBack(pooled);
  assert.equal(memoryOf(pooled).detached, false);
  // The last piece of the pool reaches to its end.
  const pool = memoryOf(pooled);
  giveBack(new Uint8Array(pool, pool.byteLength - 100, 100));
  assert.equal(pool.detached, false);
  // The head of an answer stands before its first bytes.
  const first = new ArrayBuffer(65_536);
  giveBack(new Uint8Array(first, 200));
  assert.equal(first.detached, true);
});
