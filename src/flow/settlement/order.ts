import { Exchange, type Services } from '../../core/exchange.ts';
import { Life } from '../../core/life.ts';
import { failure, toFailure } from '../../errors.ts';
import type { Incoming } from '../../sdk.ts';
import { keyText } from '../../steps/parts/key.ts';
import type { Evaluate } from '../../steps/step.ts';
import type { FlowProgram } from '../program.ts';
import { Lanes, type Turn } from './lanes.ts';

/** How many messages of a flow are worked on at once where it says nothing: in order, one after the other. */
const defaultConcurrency = 1;

/** In which order the messages of a flow are worked on: by its `orderBy`, else by the lanes of their source. */
export class Order {
  readonly #flow: FlowProgram;
  readonly #services: Services;
  readonly #lanes: Lanes;
  /** Messages take their places in the order in which they came, however long their keys take. */
  #placed: Promise<unknown> = Promise.resolve();

  constructor(flow: FlowProgram, services: Services) {
    this.#flow = flow;
    this.#services = services;
    this.#lanes = new Lanes(flow.source.concurrency ?? defaultConcurrency);
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#lanes.waiting;
  }

  isLaned(message: Incoming): boolean {
    return message.lane !== undefined || this.#flow.settlement?.orderBy !== undefined;
  }

  /** The message's turn, at once or when it comes. Rejects when it has no key, or nothing begins any more. */
  enter(message: Incoming, id: string): Turn | Promise<Turn> {
    const orderBy = this.#flow.settlement?.orderBy;
    if (!orderBy) return this.#lanes.enter(message.lane);
    const key = this.#key(message, id, orderBy);
    const place = async (before: Promise<unknown>): Promise<{ readonly turn: Turn | Promise<Turn> }> => {
      const [lane] = await Promise.all([key, before]);
      return { turn: this.#lanes.enter(lane) };
    };
    const placed = place(this.#placed);
    this.#placed = placed.catch(() => undefined);
    return placed.then(({ turn }) => turn);
  }

  /** Whoever waits is refused. */
  close(reason: unknown): void {
    this.#lanes.close(reason);
  }

  async #key({ body, headers, origin }: Incoming, id: string, orderBy: Evaluate): Promise<string> {
    const services = this.#services;
    const { name, source } = this.#flow;
    const life = new Life(services.clock);
    try {
      const key = keyText(await orderBy(Exchange.create({ id, flow: name, services, life, origin, body, headers })));
      if (key === undefined) throw failure('no-key', { expression: source.orderBy?.text });
      return key;
    } catch (thrown) {
      const error = toFailure(thrown);
      error.place ??= `${name}/orderBy`;
      throw error;
    } finally {
      life.end();
    }
  }
}
