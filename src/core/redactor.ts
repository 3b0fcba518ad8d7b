import { withoutPasswords } from './url-passwords.ts';

/** Replaces secrets, and passwords in URLs, wherever they appear in texts, lists and maps. */
export function redactor(secrets: () => readonly string[]): <T>(value: T) => T {
  const clean = (value: unknown, texts: readonly string[], depth: number): unknown => {
    if (typeof value === 'string') {
      return withoutPasswords(texts.reduce((text, secret) => text.replaceAll(secret, '***'), value));
    }
    if (value === null || typeof value !== 'object') return value;
    if (depth > 20) return '…';
    if (Array.isArray(value)) return value.map((one) => clean(one, texts, depth + 1));
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, clean(one, texts, depth + 1)]));
  };
  return <T>(value: T): T => {
    // A secret of one or two characters would turn every line into stars. Of one that begins another, the longer is
    // looked for first: its rest would stay else.
    const texts = secrets()
      .filter((secret) => secret.length > 2)
      .sort((a, b) => b.length - a.length);
    return clean(value, texts, 0) as T;
  };
}
