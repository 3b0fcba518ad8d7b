import { queueNames } from './keys.ts';
import { type QueueWorld, StoredQueue } from './queue.ts';

/** All queues of a running integration, by name: they outlive a reload. */
export class Queues {
  readonly #world: QueueWorld;
  readonly #queues = new Map<string, StoredQueue>();

  constructor(world: QueueWorld) {
    this.#world = world;
  }

  open(name: string): StoredQueue {
    const known = this.#queues.get(name);
    if (known) return known;
    const queue = new StoredQueue(name, this.#world);
    this.#queues.set(name, queue);
    return queue;
  }

  /** Messages of processes that fell silent. */
  async takeOver(): Promise<void> {
    for (const queue of this.#queues.values()) if (queue.isRead) await queue.takeOver();
  }

  /** Says which queues hold messages that no flow reads any more: it was renamed, or its source changed. */
  async reportUnread(read: ReadonlySet<string>): Promise<void> {
    for (const name of await queueNames(this.#world.store)) {
      if (read.has(name)) continue;
      this.#world.services.log.error('messages wait in a queue that no flow reads any more', { queue: name });
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
  }
}
