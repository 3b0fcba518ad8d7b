import {
  Body,
  customFailure,
  type Endpoint,
  type EndpointContext,
  type Exchange,
  type Failure,
  failure,
  httpFailure,
  type OpenEndpoint,
  parseContentType,
  toFailure,
} from '#sdk';
import type { SoapEndpointOptions } from './definition.ts';
import { envelopeReader, type ReadEnvelope, type SoapEnvelope } from './envelope.ts';
import type { SoapFault } from './fault.ts';
import { isElement, localName, namespacesOf } from './payload.ts';
import { headersOfAction } from './versions.ts';
import { writeEnvelope } from './write.ts';

/** The options of one call, evaluated; what the engine adds stands last. */
interface Operation {
  readonly operation?: unknown;
  readonly action?: unknown;
  readonly header?: unknown;
  /** For the carrier. */
  readonly target?: unknown;
  readonly expect?: readonly string[];
}

/** Statuses with which faults come: SOAP 1.1 §6.2, SOAP 1.2 part 2 §7.5.2.2. */
const faultStatuses = ['400', '500'];

/** Calls one SOAP service over the connections of the carrier. */
export const openEndpoint = (async (options: SoapEndpointOptions, context: EndpointContext): Promise<Endpoint> => {
  const { version, action, namespace, namespaces, arrays, mixed, coerce, ...carried } = options;
  const carrier = await context.openCarrier?.(carried);
  if (!carrier) throw failure('bug', { detail: 'the soap endpoint has no carrier' });
  const names = namespacesOf({ namespace, namespaces });
  const read = envelopeReader({ namespaces: names, ...(arrays && { arrays }), mixed, coerce });
  const far = context.name;

  return {
    handle: async (exchange) => {
      const call = (exchange.operation ?? {}) as Operation;
      const body = elementOf(call.operation, await exchange.value());
      const named = call.action === undefined ? action?.replaceAll('{operation}', nameOf(body)) : call.action;
      if (named !== undefined && typeof named !== 'string') throw unusable('its `action` is not text');
      const text = writeEnvelope({ version, body, header: call.header, namespaces: names });
      const headers = headersOfAction(version, named);
      const answer = await carrier.handle(
        exchange.with({
          body: Body.bytes(text, headers['content-type']),
          operation: {
            method: 'POST',
            headers,
            target: call.target,
            bodyGiven: true,
            expect: [...(call.expect ?? ['2xx']), ...faultStatuses],
          },
        }),
      );
      return answer && unpacked(answer, far, read, call.expect);
    },
    close: () => carrier.close(),
  };
}) satisfies OpenEndpoint;

const unusable = (why: string): Failure => failure('bad-request', { detail: why, sent: false });

/** What stands inside the Body of the request. */
function elementOf(operation: unknown, value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (operation !== undefined) {
    if (typeof operation !== 'string' || operation === '') throw unusable('its `operation` is not a name');
    return { [operation]: value ?? '' };
  }
  if (value === undefined) return undefined;
  if (isElement(value)) return value;
  throw unusable('without `operation` the body must be a map whose key is the element inside the SOAP Body');
}

const nameOf = (body: object | undefined): string => localName(Object.keys(body ?? {})[0] ?? '');

/** The answer without its envelope; a fault is an error. */
async function unpacked(
  answer: Exchange,
  far: string,
  read: ReadEnvelope,
  expect: Operation['expect'],
): Promise<Exchange> {
  const { response } = answer;
  const status = response?.status ?? 200;
  const envelope = await envelopeOf(answer, far, read, status);
  if (envelope?.fault) throw faultFailure(envelope.fault, far, status);
  if (!isExpected(status, expect)) throw httpFailure(status, { endpoint: far, method: 'POST' });
  return answer.with({
    body: Body.value(envelope?.body),
    ...(response && envelope?.header ? { response: { ...response, header: envelope.header } } : {}),
  });
}

/** `undefined`: the service had nothing to say, or something that its status says already. */
async function envelopeOf(
  { body, life, services }: Exchange,
  far: string,
  read: ReadEnvelope,
  status: number,
): Promise<SoapEnvelope | undefined> {
  const failed = status >= 400;
  if (body.isEmpty) return undefined;
  const { mediaType, charset } = parseContentType(body.contentType ?? '');
  if (!/[/+]xml$/.test(mediaType)) {
    body.discard();
    if (failed) return undefined;
    const what = mediaType === '' ? 'something without a content type' : mediaType;
    const hint = mediaType.startsWith('multipart/') ? ' (attachments are not supported)' : '';
    throw failure('invalid-response', { endpoint: far, detail: `${what} instead of a SOAP envelope${hint}` });
  }
  const bytes = body.bytes(services.codec);
  const whole = bytes instanceof Promise ? await life.race(bytes) : bytes;
  try {
    return read(typeof whole === 'string' ? Buffer.from(whole) : whole, charset);
  } catch (thrown) {
    if (failed) return undefined;
    const { message } = toFailure(thrown);
    throw failure('invalid-response', { endpoint: far, detail: message }, { cause: thrown });
  }
}

const isExpected = (status: number, expect: Operation['expect'] = ['2xx']): boolean =>
  expect.some((one) => one === String(status) || one === `${Math.floor(status / 100)}xx`);

/**
 * SOAP 1.1 §4.4.1: a `Client` fault must not be repeated without a change, a `Server` fault says nothing about the message
 * and may succeed later, and nobody knows what it has done.
 */
function faultFailure({ code, string, ...rest }: SoapFault, far: string, status: number): Failure {
  const fault = failure('soap-fault', { endpoint: far, faultCode: code, faultString: string, ...rest, status });
  if (!/^Server(\.|$)/.test(code)) return fault;
  return customFailure(fault.code, 'transient', fault.status, fault.message, fault.facts);
}
