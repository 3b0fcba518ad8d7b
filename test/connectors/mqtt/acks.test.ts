import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Acknowledge, Acks } from '../../../connectors/mqtt/acks.ts';
import { PacketIds } from '../../../connectors/mqtt/packet-ids.ts';
import { between, pick, tryCommands } from '../../support/commands.ts';

/** A connection that notes what is written: `[type, packet id]`, one list a write. */
function noted(): { readonly acks: Acks; readonly writes: (readonly [string, number])[][]; open: boolean } {
  const writes: (readonly [string, number])[][] = [];
  const made = {
    open: true,
    writes,
    acks: new Acks((bytes) => {
      if (!made.open) return false;
      const packets: [string, number][] = [];
      for (let at = 0; at < bytes.length; at += 4) {
        assert.equal(bytes[at + 1], 2, 'two bytes follow');
        packets.push([(bytes[at] ?? 0).toString(16), bytes.readUInt16BE(at + 2)]);
      }
      writes.push(packets);
      return true;
    }),
  };
  return made;
}

const nothing = (): void => {};
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what is due together is written together, in the order in which it came', async () => {
  const { acks, writes } = noted();
  const [a, b, c] = [1, 2, 0xfffe].map((packetId) => acks.owe({ packetId, twice: packetId === 2 }));
  c?.(nothing);
  b?.(nothing);
  await turn();
  assert.deepEqual(writes, []);
  assert.equal(acks.owed, 3);
  a?.(nothing);
  await turn();
  assert.deepEqual(writes, [
    [
      ['40', 1],
      ['50', 2],
      ['40', 0xfffe],
    ],
  ]);
  assert.equal(acks.owed, 0);
});

test('when the connection is gone nothing is written, and nobody is told that it was', async () => {
  const connection = noted();
  connection.open = false;
  let told = false;
  connection.acks.owe({ packetId: 1, twice: false })(() => {
    told = true;
  });
  await turn();
  assert.deepEqual([connection.writes, told], [[], false]);
});

test('whatever order messages are done in: each is acknowledged once, in order, none before those in front of it', async () => {
  await tryCommands(() => {
    const { acks, writes } = noted();
    const owed: { readonly id: number; readonly acknowledge: Acknowledge; done: boolean }[] = [];
    let told = 0;
    return {
      next(random) {
        const open = owed.filter((one) => !one.done);
        if (open.length === 0 || random.next() < 0.5) {
          const id = owed.length + 1;
          return {
            name: `come ${id}`,
            run: () => void owed.push({ id, acknowledge: acks.owe({ packetId: id, twice: false }), done: false }),
          };
        }
        const one = pick(random, open);
        const wait = between(random, 0, 1) === 1;
        return {
          name: `done ${one.id}`,
          async run() {
            one.done = true;
            one.acknowledge(() => told++);
            if (wait) await turn();
            else acks.flush();
          },
        };
      },
      check() {
        const first = owed.findIndex((one) => !one.done);
        const due = first < 0 ? owed.length : first;
        const written = writes.flat().map(([, id]) => id);
        assert.deepEqual(
          written,
          owed.slice(0, due).map(({ id }) => id),
        );
        assert.equal(told, due);
        assert.equal(acks.owed, owed.length - due);
      },
    };
  });
});

test('a packet id that is in use is not given out again', () => {
  const ids = new PacketIds();
  const given = new Set(Array.from({ length: 65_535 }, () => ids.allocate()));
  assert.equal(given.size, 65_535);
  assert.ok(!given.has(0) && !given.has(null));
  assert.equal(ids.allocate(), null);
  ids.deallocate(700);
  assert.equal(ids.allocate(), 700);
});
