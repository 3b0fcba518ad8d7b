import { type EndpointContext, type Failure, failure } from '#sdk';
import type { Instance } from './instance.ts';
import { type Place, placeByName, placesByAddress, placesByService } from './places.ts';
import type { Resolver } from './resolver.ts';
import type { Target } from './targets.ts';

export interface LookUp {
  readonly records: 'address' | 'srv';
  readonly every: number;
  readonly resolver: Resolver;
}

/** The instances of one target, which come and go as its name says. */
export class Roster {
  readonly #target: Target;
  readonly #lookUp: LookUp | undefined;
  readonly #make: (place: Place) => Instance;
  readonly #context: EndpointContext;
  readonly #changed: () => void;
  #instances: readonly Instance[] = [];
  #looking: Promise<void> | undefined;
  #problem: Failure | undefined;
  #cancel = (): void => {};
  #closed = false;

  constructor(
    target: Target,
    lookUp: LookUp | undefined,
    make: (place: Place) => Instance,
    context: EndpointContext,
    changed: () => void,
  ) {
    this.#target = target;
    this.#lookUp = lookUp;
    this.#make = make;
    this.#context = context;
    this.#changed = changed;
  }

  get target(): Target {
    return this.#target;
  }

  get instances(): readonly Instance[] {
    return this.#instances;
  }

  /** Why there is nobody. */
  get problem(): Failure | undefined {
    return this.#problem;
  }

  /** Looks who is there now, and from then on again and again. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  async #look(): Promise<void> {
    this.#cancel();
    const { url } = this.#target;
    if (!this.#lookUp) {
      if (this.#instances.length === 0) this.#update([placeByName(url)]);
      return;
    }
    const { records, resolver, every } = this.#lookUp;
    try {
      const places = await (records === 'srv' ? placesByService(url, resolver) : placesByAddress(url, resolver));
      if (places.length === 0) throw new Error('there are no records');
      if (!this.#closed) this.#update(places);
    } catch (thrown) {
      this.#failed(thrown);
    }
    if (!this.#closed) this.#cancel = this.#context.clock.after(every, () => void this.look(), true);
  }

  /** An answer that does not come says nothing about those who are known: they stay. */
  #failed(thrown: unknown): void {
    const { name: endpoint, log } = this.#context;
    const { hostname } = this.#target.url;
    const detail = `${hostname} does not resolve: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    if (!this.#problem) log.warn('a name does not resolve', { endpoint, name: hostname, detail });
    this.#problem = failure('connection', { endpoint, detail, sent: false }, { cause: thrown });
  }

  #update(places: readonly Place[]): void {
    this.#problem = undefined;
    const before = new Map(this.#instances.map((one) => [one.key, one]));
    const now = new Set(places.map((place) => place.key));
    const gone = this.#instances.filter((one) => !now.has(one.key));
    const come = places.filter((place) => !before.has(place.key));
    this.#instances = places.map((place) => {
      const known = before.get(place.key);
      if (!known) return this.#make(place);
      known.priority = place.priority;
      known.weight = place.weight;
      return known;
    });
    if (gone.length + come.length === 0) return;
    this.#changed();
    for (const one of gone) one.leave();
    if (!this.#lookUp) return;
    this.#context.log.info('targets changed', {
      endpoint: this.#context.name,
      name: this.#target.url.hostname,
      come: come.map((place) => place.key),
      gone: gone.map((one) => one.key),
    });
  }
}
