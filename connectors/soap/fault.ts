import { type Element, isElement, localName, textOf } from './payload.ts';
import type { SoapVersion } from './versions.ts';

/** A fault in the words of SOAP 1.1, whichever version it came in. */
export interface SoapFault {
  /** Without its prefix; `Client` and `Server` also stand for 1.2's `Sender` and `Receiver`. */
  readonly code: string;
  /** The innermost code of the application (1.2 only). */
  readonly subcode?: string;
  readonly string: string;
  /** 1.1 `faultactor`; 1.2 `Role`, else `Node`. */
  readonly actor?: string;
  readonly detail?: unknown;
}

const names11: Readonly<Record<string, string>> = { Sender: 'Client', Receiver: 'Server' };

const codeName = (value: unknown): string | undefined => {
  const text = textOf(value);
  return text === undefined ? undefined : localName(text);
};

/** `soap`: the prefix by which the envelope's elements are known. */
export function readFault(version: SoapVersion, soap: string, value: unknown): SoapFault {
  const element: Element = isElement(value) ? value : {};
  // Some services qualify the 1.1 children, though the note leaves them bare: both are understood.
  const child = (from: unknown, name: string): unknown =>
    isElement(from) ? (from[`${soap}:${name}`] ?? from[name]) : undefined;
  if (version === '1.1') {
    const actor = textOf(child(element, 'faultactor'));
    const detail = child(element, 'detail');
    return {
      code: codeName(child(element, 'faultcode')) ?? 'Server',
      string: textOf(child(element, 'faultstring')) ?? '',
      ...(actor === undefined ? {} : { actor }),
      ...(detail === undefined ? {} : { detail }),
    };
  }
  const code = codeName(child(child(element, 'Code'), 'Value')) ?? 'Receiver';
  let inner = child(child(element, 'Code'), 'Subcode');
  while (child(inner, 'Subcode') !== undefined) inner = child(inner, 'Subcode');
  const subcode = codeName(child(inner, 'Value'));
  const actor = textOf(child(element, 'Role') ?? child(element, 'Node'));
  const detail = child(element, 'Detail');
  return {
    code: names11[code] ?? code,
    ...(subcode === undefined ? {} : { subcode }),
    string: textOf(child(child(element, 'Reason'), 'Text')) ?? '',
    ...(actor === undefined ? {} : { actor }),
    ...(detail === undefined ? {} : { detail }),
  };
}
