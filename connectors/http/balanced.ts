import {
  type Attributes,
  type EndpointContext,
  type Exchange,
  type Failure,
  failure,
  type Origin,
  toFailure,
} from '#sdk';
import type { Settings } from './attempt.ts';
import { choose, least } from './balance.ts';
import type { EndpointOptions } from './definition.ts';
import { Health } from './ejection.ts';
import type { LoadedLater } from './endpoint.ts';
import { HealthCheck } from './health-check.ts';
import { Instance } from './instance.ts';
import type { Place } from './places.ts';
import { connectionsOf, type OpenPool, poolOpener } from './pool.ts';
import { type Operation, unusable } from './request.ts';
import { type Resolver, systemResolver } from './resolver.ts';
import { Roster } from './roster.ts';
import { send } from './send.ts';
import { type Target, targetsOf } from './targets.ts';

const defaultEjection = { failures: 5, pause: 1_000, maxPause: 60_000 };

/** Calls one of several targets. One attempt = one target: to try another one is the affair of `retry`. */
export function openBalanced(
  options: EndpointOptions,
  settings: Settings,
  context: EndpointContext,
  resolver: Resolver = systemResolver,
): LoadedLater {
  const balanced = new Balanced(options, settings, context, resolver);
  return {
    handle: (exchange) => balanced.handle(exchange),
    load: () => void balanced.load().catch(() => {}),
    close: () => balanced.close(),
  };
}

class Balanced {
  readonly #options: EndpointOptions;
  readonly #settings: Settings;
  readonly #context: EndpointContext;
  readonly #rosters: readonly Roster[];
  readonly #healthCheck: HealthCheck | undefined;
  /** Who failed a message: its next attempt goes past them. */
  readonly #failedFor = new WeakMap<Origin, Set<Instance>>();
  #openPool: OpenPool | undefined;
  #loading: Promise<void> | undefined;
  #loaded = false;
  #choices = 0;
  #closed = false;

  constructor(options: EndpointOptions, settings: Settings, context: EndpointContext, resolver: Resolver) {
    this.#options = options;
    this.#settings = settings;
    this.#context = context;
    this.#healthCheck = options.healthCheck && new HealthCheck(options.healthCheck, connectionsOf(options), context);
    const lookUp = options.dns && { ...options.dns, resolver };
    this.#rosters = targetsOf(options).map(
      (target) =>
        new Roster(
          target,
          lookUp,
          (place) => this.#instance(target, place),
          context,
          () => this.#healthCheck?.watch(this.#rosters.flatMap((roster) => roster.instances)),
        ),
    );
  }

  async handle(exchange: Exchange): Promise<Exchange> {
    exchange.life.check();
    if (this.#closed) throw failure('stopping');
    if (!this.#loaded) await exchange.life.race(this.load());
    const rosters = this.#rostersFor((exchange.operation as Operation | undefined)?.target);
    if (!rosters.some((roster) => roster.instances.length > 0)) {
      await exchange.life.race(Promise.all(rosters.map((roster) => roster.look())));
    }
    const instance = this.#choose(rosters, exchange.origin);
    if (!instance) throw this.#nobody(rosters);
    instance.chosen = ++this.#choices;
    return this.#send(instance, exchange);
  }

  load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#healthCheck?.close();
    for (const roster of this.#rosters) roster.close();
    const instances = this.#rosters.flatMap((roster) => roster.instances);
    await Promise.all(instances.map((instance) => instance.pool.destroy()));
  }

  async #load(): Promise<void> {
    this.#openPool = await poolOpener();
    if (!this.#closed) await Promise.all(this.#rosters.map((roster) => roster.look()));
    this.#loaded = true;
  }

  #instance(target: Target, place: Place): Instance {
    if (!this.#openPool) throw failure('bug', { detail: 'an instance before its client was loaded' });
    const { clock, random, log, name: endpoint } = this.#context;
    const who = { endpoint, ...(target.name === undefined ? {} : { target: target.name }), at: place.key };
    const changes = {
      ejected: (pauseMs: number, error: Failure | undefined) =>
        log.warn('target ejected', { ...who, code: error?.code, ...(this.#healthCheck ? {} : { pauseMs }) }),
      back: () => log.info('target is back', who),
    };
    const probed = this.#healthCheck !== undefined;
    const health = new Health(this.#options.ejection ?? defaultEjection, clock, random, probed, changes);
    return new Instance(target, place, this.#openPool(place.origin, this.#options, place.at), health);
  }

  /** Where a call may go: a message chooses among names that the file gives, never a place. */
  #rostersFor(named: unknown): readonly Roster[] {
    if (named === undefined || named === null) {
      if (this.#options.loadBalance !== 'weighted') return this.#rosters;
      return this.#rosters.filter((roster) => roster.target.weight > 0);
    }
    const roster = this.#rosters.find(({ target }) => target.name !== undefined && target.name === named);
    if (roster) return [roster];
    const names = this.#rosters.flatMap(({ target }) => (target.name === undefined ? [] : [`\`${target.name}\``]));
    const known = names.length === 0 ? 'none of its `urls` has a `name`' : `the names are ${names.join(', ')}`;
    throw unusable(`its \`target\` is ${JSON.stringify(named)}, which this endpoint does not know; ${known}`);
  }

  #choose(rosters: readonly Roster[], origin: Origin): Instance | undefined {
    const all = rosters.flatMap((roster) => roster.instances);
    const failed = this.#failedFor.get(origin);
    const well = all.filter((one) => one.health.isOpen);
    // Nobody is well: then better the one that has had the longest time to recover than none.
    if (well.length === 0 && !this.#healthCheck) return least(all, (one) => one.health.failedAt);
    // Where all probes fail, the probes may be what is wrong.
    const open = well.length > 0 ? well : all;
    const untried = failed ? open.filter((one) => !failed.has(one)) : open;
    const candidates = untried.length > 0 ? untried : open;
    return choose(this.#options.loadBalance, candidates, this.#context.random);
  }

  async #send(instance: Instance, exchange: Exchange): Promise<Exchange> {
    const { judged, ended } = instance.begin();
    exchange.trace.span?.set(placeOf(instance));
    try {
      const answer = await send(instance.pool, instance.target.template, this.#settings, exchange);
      judged();
      this.#failedFor.delete(exchange.origin);
      answer.body.whenClosed(ended);
      return answer;
    } catch (thrown) {
      const error = toFailure(thrown);
      judged(error);
      ended();
      // What another target would answer just so is no reason to go past this one.
      if (error.kind === 'transient') this.#remember(exchange.origin, instance);
      throw error;
    }
  }

  #remember(origin: Origin, instance: Instance): void {
    const failed = this.#failedFor.get(origin);
    if (failed) failed.add(instance);
    else this.#failedFor.set(origin, new Set([instance]));
  }

  #nobody(rosters: readonly Roster[]): Failure {
    const known = rosters.find((roster) => roster.problem)?.problem;
    const detail = 'none of its targets has an address';
    return known ?? failure('connection', { endpoint: this.#context.name, detail, sent: false });
  }
}

/** For the span of the attempt. */
const placeOf = ({ target: { name, url }, key }: Instance): Attributes => ({
  'server.address': url.hostname.replace(/^\[|\]$/g, ''),
  'server.port': url.port === '' ? ({ 'https:': 443 }[url.protocol] ?? 80) : Number(url.port),
  'dowel.target': name,
  'dowel.target.at': key,
});
