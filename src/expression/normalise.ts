import { Segments } from './segments.ts';

/** Thrown for a result that is no value; becomes the failure `expression`. */
export class NotAValue extends Error {
  override readonly name = 'NotAValue';
}

const flags = ['sequence', 'keepSingleton', 'cons', 'outerWrapper', 'tupleStream'];

const isMarked = (list: readonly unknown[]): boolean =>
  flags.some((flag) => flag in list) || Object.hasOwn(list, 'push');

function assertValue(value: unknown): void {
  if (typeof value === 'function') throw new NotAValue('it yields a function, not a value');
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new NotAValue('a number is out of range (division by zero?)');
  }
}

// Copies only where something has to change: what came from the message stays the message's own value.
function normaliseList(list: readonly unknown[]): readonly unknown[] {
  let copy: unknown[] | undefined = isMarked(list) ? list.slice(0) : undefined;
  for (let index = 0; index < list.length; index += 1) {
    const item = list[index];
    const normal = inner(item) ?? null; // a group of a pattern that matched nothing
    if (normal === item) continue;
    copy ??= list.slice(0);
    copy[index] = normal;
  }
  return copy ?? list;
}

/** Sets a key even if it is called `__proto__`. */
export function put(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') target[key] = value;
  else Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

function normaliseObject(value: object): unknown {
  if ('_jsonata_function' in value || '_jsonata_lambda' in value) {
    if (
      typeof (value as { apply?: unknown }).apply === 'function' ||
      Object.getPrototypeOf(value) === Object.prototype
    ) {
      throw new NotAValue('it yields a function, not a value');
    }
  }
  // Everything the interpreter builds has no prototype, and only that can hold what must change; but for the match of
  // a pattern that was called like a function, which knows how to go on.
  const isMatch = typeof (value as { next?: unknown }).next === 'function';
  if (Object.getPrototypeOf(value) !== null && !isMatch) return value;
  const plain: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) {
    if (part !== undefined && !(isMatch && key === 'next')) put(plain, key, inner(part));
  }
  return plain;
}

function inner(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    assertValue(value);
    return value;
  }
  if (Array.isArray(value)) return normaliseList(value);
  return value instanceof Segments ? value.text : normaliseObject(value);
}

/** The one boundary that results of the interpreter cross: ordinary objects and lists, no functions, no markers. */
export function normalise(value: unknown): unknown {
  return value instanceof Segments ? value : inner(value);
}
