/** One message whose acknowledgement is owed. */
export interface Owed {
  readonly packetId: number;
  /** Of QoS 2, which only a session of somebody else's making can still hold. */
  readonly twice: boolean;
}

/** Says that a message is done; `written` is called when the broker was told, which is never when the connection is gone. */
export type Acknowledge = (written: () => void) => void;

interface Entry extends Owed {
  /** Set when it is done. */
  written: (() => void) | undefined;
}

/**
 * So many packets are written together at most. More would save a little here, and let the broker wait while we work, and
 * us while it does.
 */
export const together = 16;

/** PUBACK and PUBREC without a reason code: success, in MQTT 3.1.1 and 5 alike. */
const puback = 0x40;
const pubrec = 0x50;

/**
 * The acknowledgements of one connection, in the order in which the messages came, as the protocol demands
 * (MQTT-4.6.0-2), whatever order they are done in. Those that are due together are written together.
 */
export class Acks {
  /** `false`: the connection is gone. */
  readonly #write: (bytes: Buffer) => boolean;
  readonly #entries: Entry[] = [];
  #scheduled = false;
  /** Since something was written last. */
  #done = 0;

  constructor(write: (bytes: Buffer) => boolean) {
    this.#write = write;
  }

  /** How many messages came and are not acknowledged. */
  get owed(): number {
    return this.#entries.length;
  }

  /** A message came: the returned function acknowledges it, as soon as its turn comes. */
  owe({ packetId, twice }: Owed): Acknowledge {
    const entry: Entry = { packetId, twice, written: undefined };
    this.#entries.push(entry);
    return (written) => {
      entry.written = written;
      this.#done++;
      if (!this.#entries[0]?.written) return;
      if (this.#done >= together) this.flush();
      if (this.#scheduled || this.#done === 0) return;
      this.#scheduled = true;
      setImmediate(() => this.flush());
    };
  }

  /** Writes what is due. */
  flush(): void {
    this.#scheduled = false;
    this.#done = 0;
    let due = 0;
    while (this.#entries[due]?.written) due++;
    if (due === 0) return;
    const bytes = Buffer.allocUnsafe(4 * due);
    const entries = this.#entries.splice(0, due);
    for (const [index, { packetId, twice }] of entries.entries()) {
      bytes.writeUInt16BE(((twice ? pubrec : puback) << 8) | 2, 4 * index);
      bytes.writeUInt16BE(packetId, 4 * index + 2);
    }
    if (!this.#write(bytes)) return;
    for (const { written } of entries) written?.();
  }
}
