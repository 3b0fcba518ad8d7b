import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Channel, ConsumeMessage } from 'amqplib';
import { Acks } from '../../../connectors/amqp/acks.ts';

/** What is written to the broker. */
function recorded(): {
  readonly acks: Acks;
  readonly written: readonly string[];
  readonly message: (tag: number) => ConsumeMessage;
  /** Resolves in the next turn of the event loop. */
  readonly turn: () => Promise<void>;
} {
  const written: string[] = [];
  const channel = {
    ack: ({ fields }: ConsumeMessage, all = false) =>
      written.push(`ack ${fields.deliveryTag}${all ? ' and all before' : ''}`),
    nack: ({ fields }: ConsumeMessage) => written.push(`nack ${fields.deliveryTag}`),
  };
  const acks = new Acks(channel as unknown as Channel);
  const message = (deliveryTag: number): ConsumeMessage => ({ fields: { deliveryTag } }) as ConsumeMessage;
  return { acks, written, message, turn: () => new Promise((resolve) => setImmediate(resolve)) };
}

describe('acknowledging', () => {
  test('what is done in one turn and has nothing open before it is one frame', async () => {
    const { acks, written, message, turn } = recorded();
    for (const tag of [1, 2, 3, 4]) acks.received(message(tag));
    for (const tag of [2, 1, 3]) acks.acknowledge(message(tag));
    await turn();
    assert.deepEqual(written, ['ack 3 and all before']);
  });

  test('what is done behind one that is under way is acknowledged alone: that one stays', async () => {
    const { acks, written, message, turn } = recorded();
    for (const tag of [1, 2, 3, 4]) acks.received(message(tag));
    for (const tag of [1, 3, 4]) acks.acknowledge(message(tag));
    await turn();
    assert.deepEqual(written, ['ack 3', 'ack 4', 'ack 1 and all before']);
    acks.acknowledge(message(2));
    await turn();
    assert.equal(written.at(-1), 'ack 2 and all before');
  });

  test('what was given back before is not covered again, and each is settled once', async () => {
    const { acks, written, message, turn } = recorded();
    for (const tag of [1, 2]) acks.received(message(tag));
    acks.release(message(1));
    acks.acknowledge(message(1));
    acks.acknowledge(message(2));
    acks.release(message(2));
    await turn();
    assert.deepEqual(written, ['nack 1', 'ack 2 and all before']);
  });

  test('when the channel is gone nothing is written any more', async () => {
    const { acks, written, message, turn } = recorded();
    for (const tag of [1, 2]) acks.received(message(tag));
    acks.acknowledge(message(1));
    acks.close();
    acks.acknowledge(message(2));
    await turn();
    assert.deepEqual(written, []);
  });
});
