/** What the payment service of the examples has charged: kept in memory, gone with the process. */
interface Charge {
  readonly id: string;
  readonly order: string;
  /** In cents. */
  readonly amount: number;
  readonly state: 'charged' | 'refunded';
}

interface Order {
  readonly order: string;
  readonly amount: number;
  /** Of the `Idempotency-Key` header. */
  readonly key?: string;
}

const charges = new Map<string, Charge>();
/** What each idempotency key has charged. */
const answers = new Map<string, Charge>();

/** The same key again is the same charge: whoever got no answer may ask again. */
export function charge({ order, amount, key }: Order): Charge {
  const known = key === undefined ? undefined : answers.get(key);
  if (known) return known;
  const made: Charge = { id: `ch_${charges.size + 1}`, order, amount, state: 'charged' };
  charges.set(made.id, made);
  if (key !== undefined) answers.set(key, made);
  return made;
}

/** Refunding twice is refunding once: whoever undoes a charge may have to ask again. */
export function refund(id: string): Charge {
  const found = charges.get(id);
  if (!found) {
    throw Object.assign(new Error(`There is no charge ${id}`), {
      code: 'unknown-charge',
      kind: 'permanent',
      status: 404,
    });
  }
  const refunded: Charge = { ...found, state: 'refunded' };
  charges.set(id, refunded);
  return refunded;
}

export function list({ order }: { readonly order?: string }): readonly Charge[] {
  return [...charges.values()].filter((one) => order === undefined || one.order === order);
}
