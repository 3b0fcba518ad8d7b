import { join } from 'node:path';
import { type Failure, failure } from '#sdk';

/** What a call of the endpoint asks for, evaluated. */
export interface Operation {
  readonly name?: unknown;
  readonly append?: boolean | undefined;
  readonly newline?: boolean | undefined;
}

export interface Target {
  readonly path: string;
  /** The message chose the name: nothing may lead out of the folder. */
  readonly chosen: boolean;
}

const bad = (name: unknown, detail: string): Failure =>
  failure('validation', { detail: `${JSON.stringify(name)} cannot be the name of a file: ${detail}` });

/** Where a message is written. A name that comes from a message reaches one folder and nothing else. */
export function targetOf(path: string, operation: Operation): Target {
  const { name } = operation;
  if (name === undefined) return { path, chosen: false };
  const text = typeof name === 'number' ? String(name) : name;
  if (typeof text !== 'string') throw bad(name, 'it must be text');
  if (text === '') throw bad(name, 'it is empty');
  // Both separators on every system: a file may be read on another one.
  if (/[/\\]/.test(text)) throw bad(name, 'it has a separator');
  if (text.startsWith('.')) throw bad(name, 'it begins with a dot');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) throw bad(name, 'it has a control character');
  if (Buffer.byteLength(text) > 255) throw bad(name, 'it is longer than 255 bytes');
  return { path: join(path, text), chosen: true };
}
