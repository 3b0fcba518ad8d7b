import { randomFillSync } from 'node:crypto';

/** Chance, passed in: jitter and ids. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A UUID, version 4 (RFC 9562). */
  uuid(): string;
  /** So many hexadecimal digits, at most 64. */
  hex(digits: number): string;
}

/** Makes 16 random bytes at `at` those of a UUID, version 4. */
function mark(bytes: Uint8Array, at: number): void {
  bytes[at + 6] = ((bytes[at + 6] ?? 0) & 0x0f) | 0x40;
  bytes[at + 8] = ((bytes[at + 8] ?? 0) & 0x3f) | 0x80;
}

const dashed = (hex: string): string =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;

/**
 * Draws digits from a supply of them: one system call and one conversion for 4 KiB. `prepare` is shown the bytes before
 * they become digits.
 */
function supply(prepare: (pool: Uint8Array) => void): (digits: number) => string {
  const pool = Buffer.alloc(4096);
  let supplied = '';
  let used = 0;
  return (digits) => {
    if (used + digits > supplied.length) {
      randomFillSync(pool);
      prepare(pool);
      supplied = pool.toString('hex');
      used = 0;
    }
    used += digits;
    return supplied.slice(used - digits, used);
  };
}

const uuidDigits = supply((pool) => {
  for (let at = 0; at < pool.length; at += 16) mark(pool, at);
});

export const systemRandom: Random = {
  next: () => Math.random(),
  uuid: () => dashed(uuidDigits(32)),
  hex: supply(() => {}),
};

/** A repeatable source of chance (mulberry32): for tests. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const bytes = (count: number): Buffer => Buffer.from(Array.from({ length: count }, () => Math.floor(next() * 256)));
  return {
    next,
    uuid: () => {
      const drawn = bytes(16);
      mark(drawn, 0);
      return dashed(drawn.toString('hex'));
    },
    hex: (digits) =>
      bytes(Math.ceil(digits / 2))
        .toString('hex')
        .slice(0, digits),
  };
}
