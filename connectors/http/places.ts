import type { Address } from './pool.ts';
import type { Resolver } from './resolver.ts';

/** Where a target can be reached: by its name, or at one address of it. */
export interface Place {
  /** Tells it from the other places of its target. */
  readonly key: string;
  readonly origin: string;
  readonly at: Address | undefined;
  /** Lower ones are used first. */
  readonly priority: number;
  /** Share of what its target gets. */
  readonly weight: number;
}

/** The target by its name: who connects resolves it. */
export const placeByName = (url: URL): Place => ({
  key: url.host,
  origin: url.origin,
  at: undefined,
  priority: 0,
  weight: 1,
});

/** Each address of the name. */
export async function placesByAddress(url: URL, resolver: Resolver): Promise<readonly Place[]> {
  const name = url.hostname;
  const addresses = await resolver.addresses(bare(name));
  return distinct(addresses.map((at) => ({ ...placeByName(url), key: hostOf(at, portOf(url)), at })));
}

/** Each address of each server that the SRV records name. */
export async function placesByService(url: URL, resolver: Resolver): Promise<readonly Place[]> {
  const services = await resolver.services(url.hostname);
  const host = serviceHost(url.hostname);
  // A single dot says that the service is decidedly not there.
  const offered = services.filter((service) => service.name !== '' && service.name !== '.');
  const found = await Promise.allSettled(
    offered.map(async ({ name, port, priority, weight }) => {
      const addresses = await resolver.addresses(name);
      const origin = `${url.protocol}//${host}:${port}`;
      return addresses.map((at) => ({
        key: hostOf(at, port),
        origin,
        at,
        priority,
        weight: weight / addresses.length,
      }));
    }),
  );
  const places = found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  const [failed] = found.filter((one) => one.status === 'rejected');
  if (places.length === 0 && failed) throw failed.reason;
  return distinct(places);
}

/**
 * The host in certificates and in `Host`: `_http._tcp.orders.example` is the service `_http` of `orders.example`. Not the
 * name in the record: whoever forges an answer of DNS would choose whose certificate is right.
 */
const serviceHost = (name: string): string => name.replace(/^_[^.]+\._[^.]+\./, '');

const portOf = ({ port, protocol }: URL): number => Number(port) || (protocol === 'https:' ? 443 : 80);

const hostOf = ({ address, family }: Address, port: number): string =>
  family === 6 ? `[${address}]:${port}` : `${address}:${port}`;

const bare = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1');

const distinct = (places: readonly Place[]): readonly Place[] => [
  ...new Map(places.map((place) => [place.key, place])).values(),
];
