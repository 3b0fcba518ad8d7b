/** SOAP 1.1 (W3C Note) and 1.2 (W3C Recommendation) envelopes ⇄ values. No transport here, only documents and headers. */
import { failure } from '../errors.ts';
import type { XmlOptions } from './xml-options.ts';
import { makePlan, type ReadPlan } from './xml-options.ts';
import { readXmlBy } from './xml-read.ts';
import { writeXml } from './xml-write.ts';

export type SoapVersion = '1.1' | '1.2';

const envelopeUri: Readonly<Record<SoapVersion, string>> = {
  '1.1': 'http://schemas.xmlsoap.org/soap/envelope/',
  '1.2': 'http://www.w3.org/2003/05/soap-envelope',
};

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

export interface SoapEnvelope {
  readonly version: SoapVersion;
  /** The header blocks by name; undefined when there are none. */
  readonly header: unknown;
  /** What is inside Body: an object keyed by element, or `""`. Of a fault: `{ Fault: … }`. */
  readonly body: unknown;
  readonly fault?: SoapFault;
}

/** How payloads are read: `arrays` are paths from inside Body, as in `AddResponse.item`. */
export type SoapReadOptions = Pick<XmlOptions, 'arrays' | 'namespaces' | 'mixed' | 'coerce'>;

type Element = Readonly<Record<string, unknown>>;

const isElement = (value: unknown): value is Element =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A prefix that the user's own `namespaces` leave free. */
function freePrefix(wanted: string, taken: Readonly<Record<string, string>> | undefined): string {
  let prefix = wanted;
  while (taken !== undefined && Object.hasOwn(taken, prefix)) prefix += '_';
  return prefix;
}

interface Reading {
  readonly plan: ReadPlan;
  readonly prefixes: Readonly<Record<SoapVersion, string>>;
}

const readings = new WeakMap<SoapReadOptions, Reading>();
const noOptions: SoapReadOptions = {};

function readingOf(options: SoapReadOptions): Reading {
  const known = readings.get(options);
  if (known !== undefined) return known;
  const { namespaces, arrays = [] } = options;
  const prefixes = { '1.1': freePrefix('soap11', namespaces), '1.2': freePrefix('soap12', namespaces) };
  const own = { [prefixes['1.1']]: envelopeUri['1.1'], [prefixes['1.2']]: envelopeUri['1.2'] };
  const inBody = Object.values(prefixes).flatMap((soap) =>
    arrays.map((path) => `${soap}:Envelope.${soap}:Body.${path}`),
  );
  const reading = { plan: makePlan({ ...options, arrays: inBody }, own), prefixes };
  readings.set(options, reading);
  return reading;
}

const malformed = (detail: string) => failure('malformed', { format: 'SOAP envelope', detail });

/** An element without its attributes: what is left are its children. */
function childrenOf(value: unknown): Element {
  if (!isElement(value)) return {};
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('@')));
}

/** The text of an element, with or without attributes; of several the English one, else the first (SOAP 1.2 §5.4.2). */
function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const english = value.find((one) => isElement(one) && String(one['@xml:lang']).toLowerCase().startsWith('en'));
    return textOf(english ?? value[0]);
  }
  const text = isElement(value) ? (value['#text'] ?? '') : value;
  return text === undefined ? undefined : String(text).trim();
}

const localName = (code: string | undefined): string | undefined => code?.slice(code.lastIndexOf(':') + 1);

const names12: Readonly<Record<string, string>> = { Client: 'Sender', Server: 'Receiver' };
const names11: Readonly<Record<string, string>> = { Sender: 'Client', Receiver: 'Server' };

function readFault(version: SoapVersion, soap: string, value: unknown): SoapFault {
  const element: Element = isElement(value) ? value : {};
  // Some services qualify the 1.1 children, though the note leaves them bare: both are understood.
  const child = (from: unknown, name: string): unknown =>
    isElement(from) ? (from[`${soap}:${name}`] ?? from[name]) : undefined;
  if (version === '1.1') {
    const actor = textOf(child(element, 'faultactor'));
    const detail = child(element, 'detail');
    return {
      code: localName(textOf(child(element, 'faultcode'))) ?? 'Server',
      string: textOf(child(element, 'faultstring')) ?? '',
      ...(actor === undefined ? {} : { actor }),
      ...(detail === undefined ? {} : { detail }),
    };
  }
  const code = localName(textOf(child(child(element, 'Code'), 'Value'))) ?? 'Receiver';
  let inner = child(child(element, 'Code'), 'Subcode');
  while (child(inner, 'Subcode') !== undefined) inner = child(inner, 'Subcode');
  const subcode = localName(textOf(child(inner, 'Value')));
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

/**
 * Takes an envelope apart, by namespace and never by prefix. Payload elements and attributes are known by their local
 * names (`AddResponse`, not `m:AddResponse`) unless `namespaces` declares a prefix for them; `xml:lang` stays. Throws
 * `malformed` for what is no envelope, and for document type declarations, which SOAP forbids.
 */
export function readEnvelope(bytes: Uint8Array, charset?: string, options: SoapReadOptions = noOptions): SoapEnvelope {
  const { plan, prefixes } = readingOf(options);
  const document = readXmlBy(plan, bytes, charset);
  const [root = ''] = isElement(document) ? Object.keys(document) : [];
  const version = (['1.1', '1.2'] as const).find((one) => root === `${prefixes[one]}:Envelope`);
  if (version === undefined || !isElement(document)) {
    throw malformed(`its root is <${root}>, which is not the Envelope of SOAP 1.1 or 1.2`);
  }
  const soap = prefixes[version];
  const envelope = childrenOf(document[root]);
  const body = envelope[`${soap}:Body`];
  if (body === undefined || Array.isArray(body)) throw malformed('an envelope has exactly one Body');
  const inside = childrenOf(body);
  const header = childrenOf(envelope[`${soap}:Header`]);
  const found = {
    version,
    header: Object.keys(header).length === 0 ? undefined : header,
    body: Object.keys(inside).length === 0 ? '' : inside,
  };
  const given = inside[`${soap}:Fault`];
  if (given === undefined) return found;
  const fault = readFault(version, soap, given);
  return { ...found, body: { Fault: fault }, fault };
}

export interface EnvelopeParts {
  readonly version: SoapVersion;
  /** Elements by name, as in `{ 'm:Add': { 'm:a': 1 } }`; undefined or `""` for an empty Body. */
  readonly body: unknown;
  readonly header?: unknown;
  /** Prefix → URI of the payload's namespaces; the empty prefix is for names without one. */
  readonly namespaces?: Readonly<Record<string, string>>;
}

/** The envelope as an XML document. Throws `malformed` as writing XML does. */
export function writeEnvelope({ version, body, header, namespaces }: EnvelopeParts): string {
  const soap = freePrefix('soap', namespaces);
  const parts = { ...(header === undefined ? {} : { [`${soap}:Header`]: header }), [`${soap}:Body`]: body ?? '' };
  return writeXml({ [`${soap}:Envelope`]: parts }, { namespaces: { ...namespaces, [soap]: envelopeUri[version] } });
}

export interface FaultParts {
  readonly version: SoapVersion;
  /** `Client`, `Server`, `MustUnderstand`, `VersionMismatch`; in 1.2 the first two are `Sender` and `Receiver`. */
  readonly code: string;
  readonly string: string;
  readonly actor?: string;
  readonly detail?: unknown;
  /** Prefix → URI for the detail. Names without a prefix have no namespace in a fault, so the empty prefix is left out. */
  readonly namespaces?: Readonly<Record<string, string>>;
}

/** The envelope of a fault, with its code and text where the version wants them. */
export function writeFault({ version, code, string, actor, detail, namespaces: given }: FaultParts): string {
  const { '': _none, ...namespaces } = given ?? {};
  const soap = freePrefix('soap', namespaces);
  if (version === '1.1') {
    const name = names11[code] ?? code;
    const fault = { faultcode: `${soap}:${name}`, faultstring: string, faultactor: actor, detail };
    return writeEnvelope({ version, body: { [`${soap}:Fault`]: fault }, namespaces });
  }
  const fault = {
    [`${soap}:Code`]: { [`${soap}:Value`]: `${soap}:${names12[code] ?? code}` },
    [`${soap}:Reason`]: { [`${soap}:Text`]: { '@xml:lang': 'en', '#text': string } },
    [`${soap}:Role`]: actor,
    [`${soap}:Detail`]: detail,
  };
  return writeEnvelope({ version, body: { [`${soap}:Fault`]: fault }, namespaces });
}

/**
 * The headers that name the operation: `SOAPAction` in 1.1 (§6.1.1: quoted, and there even when it is empty), the
 * `action` parameter of the content type in 1.2 (RFC 3902).
 */
export function soapContentType(version: SoapVersion, action = ''): Readonly<Record<string, string>> {
  if (!/^[\x20-\x7e]*$/.test(action))
    throw failure('bad-request', { detail: 'a SOAP action is a URI: printable ASCII only' });
  const quoted = `"${action.replace(/["\\]/g, '\\$&')}"`;
  if (version === '1.1') return { 'content-type': 'text/xml; charset=utf-8', soapaction: quoted };
  const parameter = action === '' ? '' : `; action=${quoted}`;
  return { 'content-type': `application/soap+xml; charset=utf-8${parameter}` };
}
