import type { Address } from './pool.ts';

/** One of the servers of a service (RFC 2782). */
export interface Service {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** Who answers questions about names. Rejects when there is no answer. */
export interface Resolver {
  addresses(name: string): Promise<readonly Address[]>;
  services(name: string): Promise<readonly Service[]>;
}

/** Addresses as the rest of the system sees them (hosts file included); services straight from DNS. */
export const systemResolver: Resolver = {
  async addresses(name) {
    const { lookup } = await import('node:dns/promises');
    return lookup(name, { all: true });
  },
  async services(name) {
    const { resolveSrv } = await import('node:dns/promises');
    return resolveSrv(name);
  },
};
