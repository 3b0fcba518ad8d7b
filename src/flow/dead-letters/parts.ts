/** Bytes of any size in a store whose values have a largest one. */
import { limits, type Put, type Store } from '../../store/store.ts';
import { partKey } from './keys.ts';

/** Not the largest value that there may be: each is held whole by whoever reads or writes it. */
const partSize = 4 * 1024 ** 2;

/** So many bytes are written together with what refers to them. */
export const togetherBytes = limits.batchBytes / 2;

/** All parts of one whole are removed in one batch with what refers to them. */
const mostParts = 200;
export const mostBytes = mostParts * partSize;

export const countOf = (bytes: Uint8Array): number => Math.ceil(bytes.byteLength / partSize);

export function partsOf(space: string, key: string, bytes: Uint8Array): readonly Put[] {
  return Array.from({ length: countOf(bytes) }, (_, part) => {
    const value = bytes.subarray(part * partSize, (part + 1) * partSize);
    return { op: 'put', space, key: partKey(key, part), value };
  });
}

export const keysOf = (key: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, part) => partKey(key, part));

/** `undefined` when one of them is not there (any more). */
export async function readParts(
  store: Store,
  space: string,
  key: string,
  count: number,
): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  for (const part of keysOf(key, count)) {
    const entry = await store.get(space, part);
    if (!entry) return undefined;
    parts.push(entry.value);
  }
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
}
