/** Elements as values: what envelopes and faults have in common. */

export type Element = Readonly<Record<string, unknown>>;

export const isElement = (value: unknown): value is Element =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A prefix that the user's own `namespaces` leave free. */
export function freePrefix(wanted: string, taken: Readonly<Record<string, string>> | undefined): string {
  let prefix = wanted;
  while (taken !== undefined && Object.hasOwn(taken, prefix)) prefix += '_';
  return prefix;
}

/** `namespace` and `namespaces` as one map; the empty prefix is for names without one. */
export function namespacesOf(options: {
  readonly namespace?: string | undefined;
  readonly namespaces?: Readonly<Record<string, string>> | undefined;
}): Readonly<Record<string, string>> {
  return { ...options.namespaces, ...(options.namespace === undefined ? {} : { '': options.namespace }) };
}

/** The text of an element, with or without attributes; of several the English one, else the first (SOAP 1.2 §5.4.2). */
export function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const english = value.find((one) => isElement(one) && String(one['@xml:lang']).toLowerCase().startsWith('en'));
    return textOf(english ?? value[0]);
  }
  const text = isElement(value) ? (value['#text'] ?? '') : value;
  return text === undefined ? undefined : String(text).trim();
}

export const localName = (name: string): string => name.slice(name.lastIndexOf(':') + 1);
