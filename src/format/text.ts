/** Plain text ⇄ a string. */
import { decode } from './charset.ts';
import type { Format } from './format.ts';
import { writeJson } from './json.ts';

/** The text of a value: a string as it is, nothing as the empty text, lists and maps as JSON. */
function writeText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? writeJson(value) : String(value);
}

export const text: Format = {
  name: 'text',
  mediaType: 'text/plain; charset=utf-8',
  options: { type: 'object', properties: {} } as const,
  matches: (mediaType) => mediaType.startsWith('text/'),
  read: (bytes, charset) => decode(bytes, charset, 'text'),
  write: (value) => writeText(value),
};
