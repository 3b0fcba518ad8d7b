import { randomFillSync } from 'node:crypto';

/** Chance, passed in: jitter and ids. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A UUID, version 4 (RFC 9562). */
  uuid(): string;
}

// Ids are drawn from a pool of random bytes: one system call for 256 of them.
const pool = new Uint8Array(16 * 256);
let used = pool.length;

const hex = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

function format(bytes: Uint8Array, at: number): string {
  const h = (i: number): string => hex[bytes[at + i] ?? 0] ?? '';
  const version = hex[((bytes[at + 6] ?? 0) & 0x0f) | 0x40];
  const variant = hex[((bytes[at + 8] ?? 0) & 0x3f) | 0x80];
  return `${h(0)}${h(1)}${h(2)}${h(3)}-${h(4)}${h(5)}-${version}${h(7)}-${variant}${h(9)}-${h(10)}${h(11)}${h(12)}${h(13)}${h(14)}${h(15)}`;
}

export const systemRandom: Random = {
  next: () => Math.random(),
  uuid() {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    used += 16;
    return format(pool, used - 16);
  },
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
    uuid: () =>
      format(
        Uint8Array.from({ length: 16 }, () => Math.floor(next() * 256)),
        0,
      ),
  };
}
