import { randomFillSync } from 'node:crypto';

/** Chance, passed in: jitter and ids. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A UUID, version 4 (RFC 9562). */
  uuid(): string;
}

/** Makes 16 random bytes at `at` those of a UUID, version 4. */
function mark(bytes: Uint8Array, at: number): void {
  bytes[at + 6] = ((bytes[at + 6] ?? 0) & 0x0f) | 0x40;
  bytes[at + 8] = ((bytes[at + 8] ?? 0) & 0x3f) | 0x80;
}

/** The UUID whose hexadecimal digits stand at `at`. */
const dashed = (hex: string, at: number): string =>
  `${hex.slice(at, at + 8)}-${hex.slice(at + 8, at + 12)}-${hex.slice(at + 12, at + 16)}-${hex.slice(at + 16, at + 20)}-${hex.slice(at + 20, at + 32)}`;

/** Draws ids from a supply of random digits: one system call and one conversion for 256 of them. */
function idSource(): () => string {
  const pool = Buffer.alloc(16 * 256);
  let digits = '';
  let used = digits.length;
  return () => {
    if (used === digits.length) {
      randomFillSync(pool);
      for (let at = 0; at < pool.length; at += 16) mark(pool, at);
      digits = pool.toString('hex');
      used = 0;
    }
    used += 32;
    return dashed(digits, used - 32);
  };
}

export const systemRandom: Random = {
  next: () => Math.random(),
  uuid: idSource(),
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
  return {
    next,
    uuid: () => {
      const bytes = Buffer.from(Array.from({ length: 16 }, () => Math.floor(next() * 256)));
      mark(bytes, 0);
      return dashed(bytes.toString('hex'), 0);
    },
  };
}
