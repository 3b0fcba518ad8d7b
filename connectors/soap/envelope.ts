import { failure, type XmlOptions, xmlReader } from '#sdk';
import { readFault, type SoapFault } from './fault.ts';
import { type Element, freePrefix, isElement } from './payload.ts';
import { envelopeUri, type SoapVersion, soapVersions } from './versions.ts';

export interface SoapEnvelope {
  readonly version: SoapVersion;
  /** The header blocks by name; undefined when there are none. */
  readonly header: Element | undefined;
  /** What is inside Body, by element; undefined when it is empty. Of a fault: `{ Fault: … }`. */
  readonly body: Element | undefined;
  readonly fault?: SoapFault;
}

/** How payloads are read: `arrays` are paths from inside Body, as in `AddResponse.item`. */
export type PayloadOptions = Pick<XmlOptions, 'arrays' | 'namespaces' | 'mixed' | 'coerce'>;

export type ReadEnvelope = (bytes: Uint8Array, charset: string | undefined) => SoapEnvelope;

const malformed = (detail: string) => failure('malformed', { format: 'SOAP envelope', detail });

/** An element without its attributes: what is left are its children. */
function childrenOf(value: unknown): Element | undefined {
  if (!isElement(value)) return undefined;
  const children = Object.entries(value).filter(([key]) => !key.startsWith('@') && key !== '#text');
  return children.length === 0 ? undefined : Object.fromEntries(children);
}

/**
 * A function that takes envelopes apart, by namespace and never by prefix. Payload elements and attributes are known by
 * their local names (`AddResponse`, not `m:AddResponse`) unless `namespaces` declares a prefix for them; `xml:lang` stays.
 * Throws `malformed` for what is no envelope, and for document type declarations, which SOAP forbids.
 */
export function envelopeReader(options: PayloadOptions = {}): ReadEnvelope {
  const { namespaces, arrays = [] } = options;
  const prefixes = { '1.1': freePrefix('soap11', namespaces), '1.2': freePrefix('soap12', namespaces) };
  const own = { [prefixes['1.1']]: envelopeUri['1.1'], [prefixes['1.2']]: envelopeUri['1.2'] };
  const inBody = Object.values(prefixes).flatMap((soap) =>
    arrays.map((path) => `${soap}:Envelope.${soap}:Body.${path}`),
  );
  const read = xmlReader({ ...options, arrays: inBody }, own);
  return (bytes, charset) => {
    const document = read(bytes, charset);
    const [root = ''] = isElement(document) ? Object.keys(document) : [];
    const version = soapVersions.find((one) => root === `${prefixes[one]}:Envelope`);
    if (version === undefined || !isElement(document)) throw notAnEnvelope(root);
    const soap = prefixes[version];
    const envelope = childrenOf(document[root]) ?? {};
    const body = envelope[`${soap}:Body`];
    if (body === undefined || Array.isArray(body)) throw malformed('an envelope has exactly one Body');
    const inside = childrenOf(body);
    const found = { version, header: childrenOf(envelope[`${soap}:Header`]), body: inside };
    const given = inside?.[`${soap}:Fault`];
    if (given === undefined) return found;
    const fault = readFault(version, soap, given);
    return { ...found, body: { Fault: fault }, fault };
  };
}

/** Another version's envelope, or none at all: SOAP tells the sender which it was (1.1 §4.4.1, 1.2 §2.8). */
const notAnEnvelope = (root: string) =>
  failure('malformed', {
    format: 'SOAP envelope',
    detail: `its root is <${root}>, which is not the Envelope of SOAP 1.1 or 1.2`,
    ...(/(^|:)Envelope$/.test(root) ? { fault: 'VersionMismatch' } : {}),
  });
