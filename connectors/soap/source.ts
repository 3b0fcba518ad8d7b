import {
  Body,
  type Exchange,
  failure,
  type Headers,
  type OpenSource,
  parseContentType,
  type Source,
  type SourceContext,
} from '#sdk';
import type { SoapSourceOptions } from './definition.ts';
import { envelopeReader, type SoapEnvelope } from './envelope.ts';
import { refuseUnknownBlocks } from './must-understand.ts';
import { isElement, namespacesOf } from './payload.ts';
import { actionOf, contentTypeOf, type SoapVersion, versionOfMediaType } from './versions.ts';
import { faultWording, statusOfFault } from './wording.ts';
import { writeEnvelope, writeFault } from './write.ts';

/** Is a SOAP service at one path of the carrier's server. */
export const openSource = (async (options: SoapSourceOptions, context: SourceContext): Promise<Source> => {
  const { versions, operations, understands, namespace, namespaces, arrays, mixed, coerce, ...carried } = options;
  const names = namespacesOf({ namespace, namespaces });
  const read = envelopeReader({ namespaces: names, ...(arrays && { arrays }), mixed, coerce });
  const { codec } = context.services;

  const deliver: SourceContext['deliver'] = async (message) => {
    const { body, headers, origin } = message;
    const contentType = body.contentType ?? '';
    const { mediaType, charset } = parseContentType(contentType);
    const version = versionOfMediaType(mediaType);
    if (version === undefined) throw failure('unsupported-media-type', { contentType: body.contentType });
    const bytes = await body.bytes(codec);
    const envelope = read(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, charset);
    checkVersion(envelope, version, versions);
    refuseUnknownBlocks(envelope, understands);
    const operation = operationOf(envelope, operations);
    const action = actionOf(version, contentType, textOf(headers['soapaction']));
    const exchange = await context.deliver({
      ...message,
      body: Body.value(envelope.body),
      origin: { ...origin, source: { ...origin.source, operation, action, version, header: envelope.header } },
    });
    return exchange && (await replied(exchange, version, names));
  };

  const carrier = await context.openCarrier?.({ ...carried, method: 'POST' }, deliver, faultWording(versions));
  if (!carrier) throw failure('bug', { detail: 'the soap source has no carrier' });
  return carrier;
}) satisfies OpenSource;

const textOf = (header: Headers[string] | undefined): string | undefined =>
  typeof header === 'string' ? header : header?.[0];

function checkVersion(envelope: SoapEnvelope, announced: SoapVersion, spoken: readonly SoapVersion[]): void {
  const { version } = envelope;
  if (version !== announced) {
    const detail = `the content type announces SOAP ${announced}, the envelope is one of ${version}`;
    throw failure('malformed', { format: 'SOAP envelope', detail, fault: 'VersionMismatch' });
  }
  if (spoken.includes(version)) return;
  const detail = `SOAP ${version} is not spoken here, only ${spoken.join(', ')}`;
  throw failure('malformed', { format: 'SOAP envelope', detail, fault: 'VersionMismatch' });
}

/** The element inside the Body: there is at most one (WS-I Basic Profile 1.1, R9981). */
function operationOf({ body }: SoapEnvelope, taken: readonly string[] | undefined): string | undefined {
  const names = Object.keys(body ?? {});
  const [name] = names;
  if (names.length > 1 || (name !== undefined && Array.isArray(body?.[name]))) {
    throw failure('bad-request', { detail: 'there is more than one element inside the SOAP Body' });
  }
  if (taken && !taken.includes(name ?? '')) {
    const what = name === undefined ? 'the SOAP Body is empty' : `there is no operation ${name}`;
    throw failure('bad-request', { detail: `${what}; there are ${taken.join(', ')}` });
  }
  return name;
}

/** The reply in its envelope; one with a status of 400 or more is a fault whose detail is the body. */
async function replied(
  exchange: Exchange,
  version: SoapVersion,
  namespaces: Readonly<Record<string, string>>,
): Promise<Exchange> {
  const { reply, ownHeaders } = exchange;
  const { 'content-type': _, ...headers } = reply?.headers ?? ownHeaders;
  const status = reply?.status ?? 200;
  const value = await exchange.value();
  const answer = (text: string, code: number): Exchange =>
    exchange.with({
      body: Body.bytes(text, contentTypeOf(version)),
      reply: { status: code, headers },
    });
  if (status < 400) {
    if (value !== undefined && value !== '' && !isElement(value)) {
      const detail = 'a SOAP reply is a map whose key is the element inside the Body, as in `{ AddResponse: … }`';
      throw failure('bad-request', { detail }, { status: 500 });
    }
    return answer(writeEnvelope({ version, body: value, namespaces }), 200);
  }
  const code = status < 500 ? 'Client' : 'Server';
  const worded =
    typeof value === 'string' ? { string: value } : { string: `The service answered ${status}`, detail: value };
  return answer(writeFault({ version, code, ...worded, namespaces }), statusOfFault(version, code));
}
