const names: ReadonlyMap<string, string> = new Map([
  ['\u00a0', 'A no-break space'],
  ['\u202f', 'A narrow no-break space'],
  ['\u200b', 'A space without width'],
  ['\ufeff', 'A byte order mark'],
  ['\u3000', 'An ideographic space'],
]);

/** The first character that looks like a space, or like nothing, and is no space to YAML; programs for texts write them. */
export function strangeBlank(text: string): { readonly at: number; readonly what: string } | undefined {
  const at = text.search(/[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000\ufeff]/);
  if (at < 0) return undefined;
  const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0');
  return { at, what: `${names.get(text.charAt(at)) ?? 'A typographic space'} (U+${code})` };
}
