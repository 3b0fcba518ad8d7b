import { Body, type Exchange, failure, noHeaders, type Random } from '#sdk';
import type { Link, Publication, Received } from './link.ts';
import { headersOf } from './message.ts';
import type { Outbox } from './outbox.ts';
import { isPassing, reasonText, type Trouble } from './trouble.ts';

interface Asked {
  readonly link: Link;
  readonly answer: (packet: Received) => void;
  readonly lost: (trouble: Trouble) => void;
}

/** Request–response (MQTT 5 §4.10): a topic of our own for answers, and what each must carry to be told from the others. */
export class Replies {
  readonly outbox: Outbox;
  readonly #topic: string;
  readonly #random: Random;
  readonly #asked = new Map<string, Asked>();
  /** Where answers are heard, once somebody has asked. */
  #listening: { readonly link: Link; readonly begun: Promise<readonly number[]> } | undefined;

  constructor(outbox: Outbox, topic: string, random: Random) {
    this.outbox = outbox;
    this.#topic = topic;
    this.#random = random;
    outbox.receive = ({ packet, acknowledge }) => {
      acknowledge?.(() => {});
      const key = packet.properties?.correlationData?.toString('latin1');
      // An answer that nobody waits for any more.
      if (key !== undefined) this.#asked.get(key)?.answer(packet);
    };
  }

  close(): Promise<void> {
    return this.outbox.close();
  }

  /** Resolves with the answer; rejects when there can be none any more. */
  async ask(publication: Publication, endpoint: string, exchange: Exchange): Promise<Exchange> {
    const { life } = exchange;
    const key = this.#random.uuid();
    const addressed = { responseTopic: this.#topic, correlationData: Buffer.from(key, 'latin1') };
    const properties = { ...publication.properties, ...addressed };
    let answered: Promise<Received> | undefined;
    const prepare = async (link: Link): Promise<void> => {
      await this.#listen(link, endpoint);
      answered = this.#answer(key, link, endpoint);
      // It is awaited when the question is out.
      answered.catch(() => {});
    };
    try {
      await this.outbox.publish({ ...publication, properties }, endpoint, life, prepare);
      if (!answered) throw failure('bug', { detail: 'a question was sent and nobody listens' });
      return answerOf(await life.race(answered), endpoint, exchange);
    } finally {
      this.#asked.delete(key);
    }
  }

  #answer(key: string, link: Link, endpoint: string): Promise<Received> {
    return new Promise((resolve, reject) => {
      const lost = ({ message }: Trouble): void =>
        reject(failure('connection', { endpoint, sent: true, detail: `before the answer came, ${message}` }));
      this.#asked.set(key, { link, answer: resolve, lost });
    });
  }

  async #listen(link: Link, endpoint: string): Promise<void> {
    if (this.#listening?.link !== link) {
      this.#listening = { link, begun: link.subscribe([this.#topic], 1) };
      // The broker forgets us with the connection: no answer finds us afterwards.
      void link.closed.then((trouble) => {
        for (const asked of this.#asked.values()) if (asked.link === link) asked.lost(trouble);
      });
    }
    const [code = 0x80] = await this.#listening.begun;
    if (code < 0x80) return;
    this.#listening = undefined;
    const detail = `it does not let us hear answers on \`${this.#topic}\` (\`replyTopic\`): ${reasonText(code)}`;
    const kind = isPassing(code) && code !== 0x80 ? 'transient' : 'permanent';
    throw failure('refused', { endpoint, sent: false, reason: code, detail }, { kind });
  }
}

function answerOf({ payload, properties = {} }: Received, endpoint: string, exchange: Exchange): Exchange {
  const headers = headersOf(properties);
  const response = { headers, endpoint };
  const body = Body.bytes(payload, properties.contentType, endpoint);
  return exchange.with({ body, headers, ownHeaders: noHeaders, response });
}
