/** The books of a booking service of the examples: kept in memory, gone with the process. */
interface Booking {
  readonly id: string;
  readonly state: 'booked' | 'cancelled';
  readonly [detail: string]: unknown;
}

interface Order {
  /** What its customer knows it by, answered or not: the `Idempotency-Key` header. */
  readonly key?: string;
  /** What ids begin with. */
  readonly series: string;
  readonly details: Readonly<Record<string, unknown>>;
}

const bookings = new Map<string, Booking>();
const cancelled = new Set<string>();

/** The same key again is the same booking: whoever got no answer may ask again. */
export function book({ key, series, details }: Order): { readonly booking: Booking; readonly repeated: boolean } {
  if (!key) throw refusal('no-key', 400, 'Send a key of your own as the header Idempotency-Key');
  if (cancelled.has(key)) throw refusal('cancelled', 409, `The booking ${key} was cancelled`);
  const known = bookings.get(key);
  if (known) return { booking: known, repeated: true };
  const booking: Booking = { id: `${series}-${bookings.size + 1}`, ...details, state: 'booked' };
  bookings.set(key, booking);
  return { booking, repeated: false };
}

/** Cancelling twice is cancelling once; a booking that comes in after its cancellation is refused. */
export function cancel(key: string): Booking {
  cancelled.add(key);
  const found = bookings.get(key);
  if (!found) throw refusal('unknown-booking', 404, `There is no booking ${key}`);
  const changed: Booking = { ...found, state: 'cancelled' };
  bookings.set(key, changed);
  return changed;
}

export function list({ trip }: { readonly trip?: string }): readonly Booking[] {
  return [...bookings.values()].filter((one) => trip === undefined || one['trip'] === trip);
}

const refusal = (code: string, status: number, message: string): Error =>
  Object.assign(new Error(message), { code, kind: 'permanent', status });
