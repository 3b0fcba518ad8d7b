/** A password in a URL: what stands between the name and the host. */
const password = /(:\/\/[^/?#@\s:]*:)([^/?#@\s]+)(?=@)/g;

/** The same text, with stars in their place. */
export const withoutPasswords = (text: string): string =>
  text.includes('@') ? text.replaceAll(password, '$1***') : text;

/** Those that stand in a text, as they are written there and as they are meant. */
export function passwordsIn(text: string): readonly string[] {
  if (!text.includes('@')) return [];
  return [...text.matchAll(password)].flatMap(([, , written = '']) => [...new Set([written, decoded(written)])]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
