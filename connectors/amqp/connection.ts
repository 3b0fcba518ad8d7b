import type { ChannelModel } from 'amqplib';
import { atMost, Link, type LinkWorld, type Trouble } from '#sdk';
import { type Address, addressesOf } from './address.ts';
import { cut, type Dialling, dial } from './dial.ts';
import { goodbyeMs } from './goodbye.ts';
import { dialTrouble, lostTrouble } from './trouble.ts';

export interface OpenConnection {
  readonly model: ChannelModel;
  /** Resolves when it is gone, with why. */
  readonly lost: Promise<string>;
  /** As far as it is known: channels go before their connection. */
  readonly why: () => string;
}

/** No address answered as it should. */
class Unreached extends Error {
  readonly trouble: Trouble;

  constructor(trouble: Trouble) {
    super(trouble.detail);
    this.trouble = trouble;
  }
}

/** A connection to the broker, at whichever of its addresses answers; opened again whenever it is lost. */
export class Connection {
  readonly link: Link<OpenConnection>;
  /** For people, without credentials. */
  readonly far: string;
  readonly #world: LinkWorld;
  readonly #whenFreed = new Set<() => void>();
  #blocked: string | undefined;

  constructor(dialling: Dialling, world: LinkWorld) {
    this.#world = world;
    const addresses = addressesOf(dialling.options);
    this.far = `RabbitMQ at ${addresses.map(({ label }) => label).join(', ')}`;
    this.link = new Link(
      {
        far: this.far,
        open: async (signal) => this.#watched(await dialled(addresses, dialling, signal)),
        lost: ({ lost }) => lost,
        close: ({ model }) => this.#leave(model),
        explain: (thrown) => (thrown instanceof Unreached ? thrown.trouble : lostTrouble(thrown)),
      },
      world,
    );
  }

  /** The broker takes nothing that is published now, and why: it is short of memory or of disk. */
  get blocked(): string | undefined {
    return this.#blocked;
  }

  /** Calls `listener` whenever the broker takes again what is published; the returned function ends that. */
  onFreed(listener: () => void): () => void {
    this.#whenFreed.add(listener);
    return () => this.#whenFreed.delete(listener);
  }

  close(): Promise<void> {
    return this.link.close();
  }

  #watched(model: ChannelModel): OpenConnection {
    let reason: unknown;
    model.on('error', (error) => {
      reason ??= error;
    });
    model.on('blocked', (why: string) => this.#block(why));
    model.on('unblocked', () => this.#free());
    const lost = new Promise<string>((resolve) => {
      model.on('close', (error) => {
        if (this.#blocked !== undefined) this.#free();
        resolve(lostTrouble(reason ?? error).detail);
      });
    });
    return { model, lost, why: () => lostTrouble(reason).detail };
  }

  async #leave(model: ChannelModel): Promise<void> {
    const left = model.close().catch(() => undefined);
    await atMost(this.#world.clock, goodbyeMs, left);
    cut(model);
  }

  #block(why: string): void {
    this.#blocked = why;
    this.#world.log.warn('the broker takes no messages now', { far: this.far, detail: why });
  }

  #free(): void {
    this.#blocked = undefined;
    this.#world.log.info('the broker takes messages again', { far: this.far });
    for (const listener of [...this.#whenFreed]) listener();
  }
}

/** Tries each address once. */
async function dialled(addresses: readonly Address[], dialling: Dialling, signal: AbortSignal): Promise<ChannelModel> {
  const troubles: Trouble[] = [];
  for (const address of addresses) {
    try {
      return await dial(address, dialling, signal);
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      const trouble = dialTrouble(thrown, address, dialling.options.auth === 'certificate');
      const detail = addresses.length === 1 ? trouble.detail : `${address.label}: ${trouble.detail}`;
      troubles.push({ ...trouble, detail });
    }
  }
  const detail = troubles.map((one) => one.detail).join('; ');
  throw new Unreached({ detail, hopeless: troubles.every((one) => one.hopeless) });
}
