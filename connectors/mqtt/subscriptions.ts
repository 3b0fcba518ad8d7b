import type { Link } from './link.ts';
import { isPassing, reasonText, Trouble } from './trouble.ts';

export interface Subscriber {
  readonly topics: readonly string[];
  readonly share: string | undefined;
  readonly qos: 0 | 1;
}

/** What the broker is asked for, by the filter as it is sent. The later of two wins. */
const wantedBy = (subscribers: readonly Subscriber[]): ReadonlyMap<string, 0 | 1> =>
  new Map(
    subscribers.flatMap(({ topics, share, qos }) =>
      topics.map((topic) => [share === undefined ? topic : `$share/${share}/${topic}`, qos] as const),
    ),
  );

/** What the session is subscribed to, as far as this process made it so. */
export class Subscriptions {
  #made: ReadonlyMap<string, 0 | 1> = new Map();

  /** On a new connection. A session that was kept has what this process subscribed before, but perhaps not for the first time. */
  async renew(link: Link, subscribers: readonly Subscriber[], kept: boolean): Promise<void> {
    if (!kept) this.#made = new Map();
    await this.adapt(link, subscribers);
  }

  /** Subscribes to what is new, then leaves what nobody wants any more. */
  async adapt(link: Link, subscribers: readonly Subscriber[]): Promise<void> {
    const wanted = wantedBy(subscribers);
    for (const qos of [0, 1] as const) {
      const missing = [...wanted].filter(([filter, asked]) => asked === qos && this.#made.get(filter) !== qos);
      if (missing.length > 0)
        await subscribe(
          link,
          missing.map(([filter]) => filter),
          qos,
        );
    }
    const left = [...this.#made.keys()].filter((filter) => !wanted.has(filter));
    this.#made = new Map([...this.#made, ...wanted]);
    if (left.length > 0) await link.unsubscribe(left);
    this.#made = wanted;
  }
}

async function subscribe(link: Link, filters: readonly string[], qos: 0 | 1): Promise<void> {
  const codes = await link.subscribe(filters, qos);
  for (const [at, filter] of filters.entries()) {
    const code = codes[at] ?? 0x80;
    if (code >= 0x80) {
      const hint = code === 0x87 || code === 0x80 ? ': may this user read it?' : '';
      throw new Trouble(
        `the broker refuses the subscription to \`${filter}\`: ${reasonText(code)}${hint}`,
        !isPassing(code) || code === 0x80,
      );
    }
    if (code < qos) {
      throw new Trouble(
        `the broker grants only QoS 0 for \`${filter}\`, at most once: write \`qos: 0\` if that will do`,
        true,
      );
    }
  }
}
