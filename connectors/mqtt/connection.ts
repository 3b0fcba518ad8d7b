import { backoff, type Clock, failure, type Log, type Random, sleep } from '#sdk';
import { Link, type Receive } from './link.ts';
import { placeOf, type Settings } from './settings.ts';
import { Trouble } from './trouble.ts';

export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Whose connection it is, for the log. */
  readonly facts: Readonly<Record<string, unknown>>;
  readonly receive: Receive;
  /** Makes a new connection fit for use (subscribes); it is lost again when that fails. */
  readonly prepare?: (link: Link) => Promise<void>;
  /** A connection is fit for use. */
  readonly onReady?: (link: Link) => void;
}

const pauses = { delay: 500, maxDelay: 30_000 };
/** A connection that lasted so long was a good one: the next loss is news. */
const goodMs = 10_000;
/** How long a start waits for a broker that neither takes nor refuses. */
const startMs = 3_000;
/** So many connections in a row that were closed soon after they were opened, without a word, are no accident: brokers close the older one of two clients with one name. */
const suspicious = 2;

/**
 * A connection that is kept up: over several addresses, with growing pauses and full jitter. It says once why it is not
 * there, and once that it is there again.
 */
export class Connection {
  readonly #settings: Settings;
  readonly #world: World;
  readonly #closing = new AbortController();
  #link: Link | undefined;
  #preparing: Link | undefined;
  #opening: Promise<void> | undefined;
  /** Why there is none. */
  #trouble: Trouble | undefined;
  #said: string | undefined;
  #shortLived = 0;
  #running: Promise<void> | undefined;

  constructor(settings: Settings, world: World) {
    this.#settings = settings;
    this.#world = world;
  }

  /** Fit for use. */
  get link(): Link | undefined {
    return this.#link;
  }

  get trouble(): string {
    return this.#trouble?.message ?? 'it is being connected';
  }

  /** Resolves when it is connected or waits to be; rejects with what waiting does not heal. Once for all who ask. */
  open(): Promise<void> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open(): Promise<void> {
    const { clock } = this.#world;
    let settled = (_trouble?: Trouble): void => {};
    const first = new Promise<Trouble | undefined>((resolve) => {
      settled = resolve;
    });
    this.#running = this.#run(settled);
    const cancel = clock.after(startMs, () => settled());
    const trouble = await first;
    cancel();
    if (!trouble?.lasting) return;
    await this.close();
    throw failure('startup', { what: this.#place, detail: trouble.message });
  }

  /** What is owed to the broker is written first. */
  async close(): Promise<void> {
    this.#closing.abort(new Trouble('it was closed'));
    await (this.#link ?? this.#preparing)?.end();
    await this.#running;
  }

  async #run(settled: (trouble?: Trouble) => void): Promise<void> {
    const { clock } = this.#world;
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; ) {
      const link = await this.#connect();
      if (link) {
        const since = clock.monotonic();
        this.#link = link;
        const cancel = this.#tellConnected();
        this.#world.onReady?.(link);
        settled();
        const trouble = await link.closed;
        cancel();
        this.#link = undefined;
        if (signal.aborted) break;
        const lasted = clock.monotonic() - since;
        if (lasted >= goodMs) failures = 0;
        this.#lost(trouble, lasted);
      } else {
        settled(this.#trouble);
      }
      failures++;
      await this.#pause(failures);
    }
    settled();
  }

  /** One try at each address. */
  async #connect(): Promise<Link | undefined> {
    const { clock, receive, prepare } = this.#world;
    const { signal } = this.#closing;
    for (const url of this.#settings.urls) {
      let link: Link | undefined;
      try {
        link = await Link.open(url, this.#settings, { clock, receive, signal });
        this.#preparing = link;
        await prepare?.(link);
        return link;
      } catch (thrown) {
        const trouble = thrown instanceof Trouble ? thrown : new Trouble(String(thrown));
        if (link && trouble.lasting) await link.end();
        else link?.destroy(trouble);
        if (signal.aborted) return undefined;
        this.#trouble = trouble;
        this.#tell('The MQTT broker cannot be used: trying again and again', trouble.message, placeOf(url));
        // Another address is another way to the same broker: it would say the same.
        if (trouble.lasting) return undefined;
      } finally {
        this.#preparing = undefined;
      }
    }
    return undefined;
  }

  #lost(trouble: Trouble, lasted: number): void {
    this.#shortLived = lasted < goodMs ? this.#shortLived + 1 : 0;
    const again = this.#shortLived >= suspicious;
    const hint = again
      ? ` soon after it was opened, again and again: does another client use the client id \`${this.#settings.clientId}\`?`
      : '';
    this.#trouble = again && !trouble.message.includes('clientId') ? new Trouble(trouble.message + hint) : trouble;
    if (lasted >= goodMs) this.#said = undefined;
    this.#tell('The connection to the MQTT broker was lost: connecting again', this.#trouble.message);
  }

  #tell(message: string, detail: string, url = this.#place): void {
    if (this.#said === detail) return;
    this.#said = detail;
    this.#world.log.warn(message, { ...this.#world.facts, url, detail });
  }

  /** One that is closed again and again is news only when it lasts. */
  #tellConnected(): () => void {
    const { clock, log, facts } = this.#world;
    const tell = (): void =>
      log.info('connected to the MQTT broker', { ...facts, url: this.#place, clientId: this.#settings.clientId });
    if (this.#shortLived >= suspicious) return clock.after(goodMs, tell, true);
    tell();
    return () => {};
  }

  get #place(): string {
    return this.#settings.urls.map(placeOf).join(', ');
  }

  async #pause(failures: number): Promise<void> {
    const { clock, random } = this.#world;
    await sleep(clock, backoff(pauses, failures, random), this.#closing.signal).catch(() => undefined);
  }
}
