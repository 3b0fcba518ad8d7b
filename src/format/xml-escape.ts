/** Text as it stands in an XML document. */

// What these do not match goes out as it is: one look at nearly every text.
const specialInText = /[^\t\n -%'-;=?-\ud7ff\ue000-\ufffd]/;
const specialInAttribute = /[^ !#-%'-;=-\ud7ff\ue000-\ufffd]/;
const notAllowed = /[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

// A reader turns raw line ends and tabs into others (XML 1.0 §2.11, §3.3.3), so those that would change are references.
const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};
const reference = (char: string): string => references[char] ?? char;

/** Called with the text `U+0001` of a character that no XML document can hold. */
export type Refuse = (character: string) => never;

function check(text: string, refuse: Refuse): void {
  const code = notAllowed.exec(text)?.[0].codePointAt(0);
  if (code !== undefined) refuse(`U+${code.toString(16).toUpperCase().padStart(4, '0')}`);
}

export function escapeText(text: string, refuse: Refuse): string {
  if (!specialInText.test(text)) return text;
  check(text, refuse);
  return text.replace(/[&<>\r]/g, reference);
}

export function escapeAttribute(text: string, refuse: Refuse): string {
  if (!specialInAttribute.test(text)) return text;
  check(text, refuse);
  return text.replace(/[&<>"\t\n\r]/g, reference);
}
