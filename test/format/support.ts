/** What the tests of the formats share. */
import assert from 'node:assert/strict';
import { Failure, type KnownCode } from '../../src/errors.ts';

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export const utf16le = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf16le'));

export const utf16be = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf16le').swap16());

export const latin1 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

/** Asserts that `act` ends with the failure `code`, and that its message has each of `parts` in it. */
export function refuses(act: () => unknown, code: KnownCode, ...parts: readonly (string | RegExp)[]): void {
  assert.throws(act, (error: unknown) => {
    assert.ok(error instanceof Failure, `not a Failure: ${String(error)}`);
    assert.equal(error.code, code);
    for (const part of parts)
      assert.match(error.message, typeof part === 'string' ? new RegExp(RegExp.escape(part)) : part);
    return true;
  });
}

/** A random source with a seed (mulberry32), so that what fails can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** How many characters are looked at while `act` runs: a measure of work that does not depend on the machine. */
export function charactersLookedAt(act: () => unknown): number {
  const original = String.prototype.charCodeAt;
  let count = 0;
  String.prototype.charCodeAt = function counting(this: string, index: number): number {
    count += 1;
    return original.call(this, index);
  };
  try {
    act();
  } finally {
    String.prototype.charCodeAt = original;
  }
  return count;
}
