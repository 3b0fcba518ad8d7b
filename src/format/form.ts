/** `application/x-www-form-urlencoded` (WHATWG URL Standard §5) ⇄ an object of strings. */
import { failure } from '../errors.ts';
import { decode } from './charset.ts';
import type { Format } from './format.ts';

/** The fields by name; a field given more than once is a list, in the order given. `__proto__` is refused. */
export function readForm(bytes: Uint8Array, charset?: string): Readonly<Record<string, string | readonly string[]>> {
  const fields: Record<string, string | string[]> = {};
  const text = decode(bytes, charset, 'form');
  // Nobody's form begins so: `{` and `[` are percent-encoded there. But `curl -d` calls everything a form.
  if (/^\s*[{[]/.test(text)) {
    const detail =
      'it looks like JSON, but its content type says that it is a form; send `content-type: application/json` (curl: `-H "content-type: application/json"`, or `--json`)';
    throw failure('malformed', { format: 'form', detail });
  }
  for (const part of text.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = decoded(equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? '' : decoded(part.slice(equals + 1));
    if (name === '__proto__')
      throw failure('malformed', { format: 'form', detail: 'the field __proto__ is not allowed' });
    const known = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (Array.isArray(known)) known.push(value);
    else fields[name] = known === undefined ? value : [known, value];
  }
  return fields;
}

/**
 * What URLSearchParams makes of it, which takes seconds for the fields that fit into a megabyte; so does whatever throws at
 * each `%` without its digits, which is text.
 */
function decoded(written: string): string {
  const spaced = written.includes('+') ? written.replaceAll('+', ' ') : written;
  if (!spaced.includes('%')) return spaced;
  const bytes = Buffer.from(spaced);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] === percent ? encodedByte(bytes, at + 1) : undefined;
    bytes[length] = byte ?? bytes[at] ?? 0;
    length += 1;
    if (byte !== undefined) at += 2;
  }
  return bytes.toString('utf8', 0, length);
}

const percent = 0x25;

function encodedByte(bytes: Uint8Array, at: number): number | undefined {
  const high = digitOf(bytes[at]);
  const low = digitOf(bytes[at + 1]);
  return high === undefined || low === undefined ? undefined : high * 16 + low;
}

function digitOf(code = 0): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined;
}

function fieldText(name: string, value: unknown): string {
  if (value === null) return '';
  if (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol') return String(value);
  const detail = `the field ${name} must be text, a number, true or false, or a list of these`;
  throw failure('malformed', { format: 'form', action: 'written', detail });
}

/** The encoded form of an object; `undefined` is left out, `null` is empty. A string is taken as encoded already. */
export function writeForm(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const detail = 'a form is written from an object: field name → text';
    throw failure('malformed', { format: 'form', action: 'written', detail });
  }
  const fields = new URLSearchParams();
  for (const [name, given] of Object.entries(value)) {
    for (const one of Array.isArray(given) ? given : [given]) {
      if (one !== undefined) fields.append(name, fieldText(name, one));
    }
  }
  return fields.toString();
}

export const form: Format = {
  name: 'form',
  mediaType: 'application/x-www-form-urlencoded',
  options: { type: 'object', properties: {} } as const,
  matches: (mediaType) => mediaType === 'application/x-www-form-urlencoded',
  read: (bytes, charset) => readForm(bytes, charset),
  write: (value) => writeForm(value),
};
