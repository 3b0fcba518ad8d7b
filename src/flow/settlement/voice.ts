import type { Services } from '../../core/exchange.ts';
import { Refrain, type RefrainLine } from '../../core/refrain.ts';
import type { Failure } from '../../errors.ts';

const lines = {
  redelivered: { level: 'warn', message: 'a message will be redelivered', over: 'messages go through again' },
  held: { level: 'warn', message: 'messages wait for what is busy', over: 'messages do not wait any more' },
  dead: { level: 'error', message: 'a message was moved to the dead letters' },
  unsettled: { level: 'error', message: 'a message could not be settled: it goes back to its source' },
} as const satisfies Readonly<Record<string, RefrainLine>>;

/** What the log has of messages of one flow that did not get through at once. */
export class Voice {
  readonly #flow: string;
  readonly #refrains: { readonly [line in keyof typeof lines]: Refrain };

  constructor(flow: string, services: Services) {
    this.#flow = flow;
    const refrain = (line: RefrainLine): Refrain => new Refrain(line, services);
    this.#refrains = {
      redelivered: refrain(lines.redelivered),
      held: refrain(lines.held),
      dead: refrain(lines.dead),
      unsettled: refrain(lines.unsettled),
    };
  }

  /** `error`: what all have in common of whom it is said. */
  say(line: keyof typeof lines, { code, place }: Failure, fields: Readonly<Record<string, unknown>>): void {
    this.#refrains[line].again(`${code} ${place}`, { flow: this.#flow, code, place }, fields);
  }

  /** A message was done. */
  well(): void {
    this.#refrains.redelivered.well();
    this.#refrains.held.well();
  }

  close(): void {
    for (const refrain of Object.values(this.#refrains)) refrain.close();
  }
}
