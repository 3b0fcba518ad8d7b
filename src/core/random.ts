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

const digits = Buffer.from('0123456789abcdef');

/** UUIDs of random bytes, 16 for each, one behind the other: 36 characters each. */
function uuidsOf(bytes: Uint8Array): Buffer {
  const text = Buffer.alloc((bytes.length / 16) * 36, '-');
  let end = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    const place = at % 16;
    const value = place === 6 ? (byte & 0x0f) | 0x40 : place === 8 ? (byte & 0x3f) | 0x80 : byte;
    if (place === 4 || place === 6 || place === 8 || place === 10) end++;
    text[end++] = digits[value >> 4] ?? 0;
    text[end++] = digits[value & 15] ?? 0;
  }
  return text;
}

/**
 * Hands out a text that `make` makes of 4 KiB of random bytes, piece by piece: one call of the system for many pieces. Each
 * is a text of its own: a slice of a large one would keep all of that in memory.
 */
function supply(make: (bytes: Buffer) => Buffer): (length: number) => string {
  const pool = Buffer.alloc(4096);
  let supplied: Buffer = Buffer.alloc(0);
  let used = 0;
  return (length) => {
    if (used + length > supplied.length) {
      supplied = make(randomFillSync(pool));
      used = 0;
    }
    used += length;
    return supplied.toString('latin1', used - length, used);
  };
}

const uuids = supply(uuidsOf);

export const systemRandom: Random = {
  next: () => Math.random(),
  uuid: () => uuids(36),
  hex: supply((bytes) => Buffer.from(bytes.toString('hex'), 'latin1')),
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
    uuid: () => uuidsOf(bytes(16)).toString('latin1'),
    hex: (length) =>
      bytes(Math.ceil(length / 2))
        .toString('hex')
        .slice(0, length),
  };
}
