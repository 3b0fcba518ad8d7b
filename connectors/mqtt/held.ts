import type { Acknowledge } from './acks.ts';
import type { Link, Received } from './link.ts';

/** A message that the broker keeps until it is acknowledged. */
export class Held {
  readonly packet: Received;
  /** `waiting`: no flow has it. `done`: its acknowledgement is not written yet. */
  state: 'waiting' | 'under way' | 'done' = 'waiting';
  #link: Link;
  #acknowledge: Acknowledge;

  constructor(packet: Received, link: Link, acknowledge: Acknowledge) {
    this.packet = packet;
    this.#link = link;
    this.#acknowledge = acknowledge;
  }

  /** Where its acknowledgement is owed. */
  get link(): Link {
    return this.#link;
  }

  /**
   * The broker gives this message again. It may use a packet id for another one only after our acknowledgement, so in
   * the same session a repeat of what was not acknowledged is the same message (MQTT 5 §2.2.1, §4.4).
   */
  isSame({ dup, topic, payload }: Received): boolean {
    const { packet } = this;
    return dup && topic === packet.topic && Buffer.from(payload).equals(Buffer.from(packet.payload));
  }

  /** It came again on another connection: the acknowledgement is owed there. */
  owe(link: Link, acknowledge: Acknowledge): void {
    this.#link = link;
    this.#acknowledge = acknowledge;
  }

  acknowledge(written: () => void): void {
    this.#acknowledge(written);
  }
}
