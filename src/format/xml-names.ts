/** Names, characters and namespaces: what reading and writing XML check alike (XML 1.0, Namespaces in XML 1.0). */

const xmlUri = 'http://www.w3.org/XML/1998/namespace';
const xmlnsUri = 'http://www.w3.org/2000/xmlns/';

const start =
  'A-Z_a-z\\u{C0}-\\u{D6}\\u{D8}-\\u{F6}\\u{F8}-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}\\u{200C}\\u{200D}' +
  '\\u{2070}-\\u{218F}\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}\\u{10000}-\\u{EFFFF}';
const part = `[${start}][-.0-9\\u{B7}\\u{300}-\\u{36F}\\u{203F}\\u{2040}${start}]*`;
const qualifiedName = new RegExp(`^(?:${part}:)?${part}$`, 'u');

/** A name as it is written, taken apart once for each document. */
export interface XmlName {
  readonly raw: string;
  readonly prefix: string;
  readonly local: string;
}

/** Takes a qualified name apart; a text when it is none, or one that no value may have as a key. */
export function xmlName(raw: string): XmlName | string {
  if (!qualifiedName.test(raw)) return `${JSON.stringify(raw)} is not a name`;
  const colon = raw.indexOf(':');
  const local = raw.slice(colon + 1);
  if (local === '__proto__') return 'the name __proto__ is not allowed';
  return { raw, prefix: colon < 0 ? '' : raw.slice(0, colon), local };
}

/** The prefix that an attribute declares (empty: the default namespace); undefined for every other attribute. */
export function declaredPrefix(name: XmlName): string | undefined {
  if (name.prefix === 'xmlns') return name.local;
  return name.raw === 'xmlns' ? '' : undefined;
}

/** What is wrong with binding `prefix` to `uri`, if anything is (Namespaces in XML 1.0 §3, §5). */
export function declarationMistake(prefix: string, uri: string): string | undefined {
  if (prefix === 'xmlns') return 'the prefix xmlns cannot be declared';
  if ((prefix === 'xml') !== (uri === xmlUri)) return `only the prefix xml belongs to ${xmlUri}`;
  if (uri === xmlnsUri) return `no prefix may be bound to ${xmlnsUri}`;
  if (uri === '' && prefix !== '') return `the prefix ${prefix} cannot be bound to nothing`;
  return undefined;
}

/** The namespaces in scope while a document is walked. Leaving costs as much as was declared, whatever the depth. */
export class Scope {
  readonly #bindings = new Map<string, string>([['xml', xmlUri]]);
  readonly #undo: (readonly [string, string | undefined])[] = [];

  /** What to give `leave` when the element ends. */
  mark(): number {
    return this.#undo.length;
  }

  declare(prefix: string, uri: string): void {
    this.#undo.push([prefix, this.#bindings.get(prefix)]);
    this.#bindings.set(prefix, uri);
  }

  leave(mark: number): void {
    while (this.#undo.length > mark) {
      const [prefix, before] = this.#undo.pop() ?? ['', undefined];
      if (before === undefined) this.#bindings.delete(prefix);
      else this.#bindings.set(prefix, before);
    }
  }

  /** The namespace that is declared for a prefix (the empty prefix: the default namespace), if one is. */
  uriOf(prefix: string): string | undefined {
    return this.#bindings.get(prefix);
  }
}

/** Whether a text is nothing but XML white space. */
export function isBlank(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code !== 0x20 && code !== 0x0a && code !== 0x09 && code !== 0x0d) return false;
  }
  return true;
}
