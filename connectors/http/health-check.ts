import type { EndpointContext } from '#sdk';
import type { Instance } from './instance.ts';
import { probe, type Question } from './probe.ts';

/** Asks every instance how it is, again and again, until it is closed. */
export class HealthCheck {
  readonly #path: string;
  readonly #every: number;
  readonly #timeout: number;
  readonly #connections: number;
  readonly #context: EndpointContext;
  readonly #cancels = new Map<Instance, () => void>();

  constructor(
    options: { readonly path: string; readonly every: number; readonly timeout: number },
    connections: number,
    context: EndpointContext,
  ) {
    this.#connections = connections;
    this.#path = options.path;
    this.#every = options.every;
    this.#timeout = options.timeout;
    this.#context = context;
  }

  /** These and no others are asked from now on. */
  watch(instances: readonly Instance[]): void {
    for (const [one, cancel] of this.#cancels) {
      if (instances.includes(one)) continue;
      cancel();
      this.#cancels.delete(one);
    }
    for (const one of instances) {
      if (this.#cancels.has(one)) continue;
      this.#cancels.set(one, () => {});
      void this.#ask(one);
    }
  }

  close(): void {
    this.watch([]);
  }

  async #ask(instance: Instance): Promise<void> {
    // A probe that waits for a connection would tell how busy we are; the calls that have them tell the rest.
    if (instance.pending < this.#connections) {
      const problem = await probe(instance.pool, this.#question(instance), this.#context.clock);
      if (!this.#cancels.has(instance)) return;
      instance.health.probed(problem);
    }
    this.#cancels.set(
      instance,
      this.#context.clock.after(this.#every, () => void this.#ask(instance), true),
    );
  }

  #question({ target }: Instance): Question {
    const { base, raw } = target.template;
    return { endpoint: this.#context.name, path: base + this.#path, headers: raw, timeout: this.#timeout };
  }
}
