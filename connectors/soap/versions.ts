import { failure } from '#sdk';

/** SOAP 1.1 (W3C Note) and SOAP 1.2 (W3C Recommendation): what differs between them on the wire. */
export type SoapVersion = '1.1' | '1.2';

export const soapVersions = ['1.1', '1.2'] as const satisfies readonly SoapVersion[];

export const envelopeUri: Readonly<Record<SoapVersion, string>> = {
  '1.1': 'http://schemas.xmlsoap.org/soap/envelope/',
  '1.2': 'http://www.w3.org/2003/05/soap-envelope',
};

const mediaTypes: Readonly<Record<SoapVersion, string>> = { '1.1': 'text/xml', '1.2': 'application/soap+xml' };

/** The version that a media type announces (SOAP 1.1 §6, RFC 3902); `undefined`: it is not SOAP. */
export const versionOfMediaType = (mediaType: string): SoapVersion | undefined =>
  soapVersions.find((version) => mediaTypes[version] === mediaType);

export const contentTypeOf = (version: SoapVersion): string => `${mediaTypes[version]}; charset=utf-8`;

/**
 * The headers that name the operation: `SOAPAction` in 1.1 (§6.1.1: quoted, and there even when it is empty), the
 * `action` parameter of the content type in 1.2 (RFC 3902).
 */
export function headersOfAction(version: SoapVersion, action = ''): Readonly<Record<string, string>> {
  if (!/^[\x20-\x7e]*$/.test(action))
    throw failure('bad-request', { detail: 'a SOAP action is a URI: printable ASCII only' });
  const quoted = `"${action.replace(/["\\]/g, '\\$&')}"`;
  if (version === '1.1') return { 'content-type': contentTypeOf(version), soapaction: quoted };
  const parameter = action === '' ? '' : `; action=${quoted}`;
  return { 'content-type': contentTypeOf(version) + parameter };
}

const actionParameter = /;\s*action\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/i;

/** The action that a request names; `undefined` when it names none. */
export function actionOf(
  version: SoapVersion,
  contentType: string,
  soapAction: string | undefined,
): string | undefined {
  const match = version === '1.2' ? actionParameter.exec(contentType) : undefined;
  const quoted = version === '1.2' ? (match?.[1] ?? match?.[2]) : soapAction?.trim().replace(/^"(.*)"$/, '$1');
  const action = quoted?.replace(/\\(.)/g, '$1');
  return action === '' ? undefined : action;
}
