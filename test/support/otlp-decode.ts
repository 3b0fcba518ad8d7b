/** What stands in a request of OTLP, read by a decoder of its own: by the numbers of opentelemetry-proto, not by our writer. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly id: string;
  /** Empty: the trace begins with it. */
  readonly parent: string;
  readonly state: string;
  readonly name: string;
  readonly kind: string;
  /** Nanoseconds since the epoch. */
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly id: string; readonly flags: number }[];
  readonly status: { readonly code: string; readonly message: string };
  readonly flags: number;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly scope: string;
}

const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
const statuses = ['unset', 'ok', 'error'];

/** By number of the field; integers and fixed values as they stand, what has a length as bytes. */
type Fields = ReadonlyMap<number, readonly (bigint | Buffer)[]>;

function fieldsOf(bytes: Buffer): Fields {
  const fields = new Map<number, (bigint | Buffer)[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('the request ends in the middle of a number');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (size: number): Buffer => {
    if (at + size > bytes.length) throw new Error('the request ends in the middle of a field');
    at += size;
    return bytes.subarray(at - size, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const type = tag & 7;
    if (type !== 0 && type !== 1 && type !== 2 && type !== 5) throw new Error(`a field of the type ${type}`);
    const value = type === 0 ? varint() : take(type === 1 ? 8 : type === 5 ? 4 : Number(varint()));
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
}

const all = (fields: Fields, field: number): readonly Buffer[] =>
  (fields.get(field) ?? []).filter((one) => typeof one !== 'bigint');
const bytesAt = (fields: Fields, field: number): Buffer => all(fields, field)[0] ?? Buffer.alloc(0);
const textAt = (fields: Fields, field: number): string => bytesAt(fields, field).toString('utf8');
const flagsAt = (fields: Fields, field: number): number => all(fields, field)[0]?.readUInt32LE() ?? 0;
const numberAt = (fields: Fields, field: number): number => Number(fields.get(field)?.[0] ?? 0n);

function readValue(bytes: Buffer): unknown {
  const fields = fieldsOf(bytes);
  if (fields.has(1)) return textAt(fields, 1);
  if (fields.has(2)) return numberAt(fields, 2) === 1;
  if (fields.has(3)) return Number(BigInt.asIntN(64, BigInt(String(fields.get(3)?.[0]))));
  if (fields.has(4)) return bytesAt(fields, 4).readDoubleLE();
  if (fields.has(5)) return all(fieldsOf(bytesAt(fields, 5)), 1).map(readValue);
  throw new Error('a value of no known type');
}

const attributesAt = (fields: Fields, field: number): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    all(fields, field).map((bytes) => {
      const pair = fieldsOf(bytes);
      return [textAt(pair, 1), readValue(bytesAt(pair, 2))];
    }),
  );

export function spansOfProtobuf(body: Buffer): readonly ReceivedSpan[] {
  return all(fieldsOf(body), 1).flatMap((resourceSpans) => {
    const ofResource = fieldsOf(resourceSpans);
    const resource = attributesAt(fieldsOf(bytesAt(ofResource, 1)), 1);
    return all(ofResource, 2).flatMap((scopeSpans) => {
      const ofScope = fieldsOf(scopeSpans);
      const scope = textAt(fieldsOf(bytesAt(ofScope, 1)), 1);
      return all(ofScope, 2).map((span) => ({ ...spanOf(fieldsOf(span)), resource, scope }));
    });
  });
}

function spanOf(fields: Fields): Omit<ReceivedSpan, 'resource' | 'scope'> {
  const status = fieldsOf(bytesAt(fields, 15));
  return {
    traceId: bytesAt(fields, 1).toString('hex'),
    id: bytesAt(fields, 2).toString('hex'),
    state: textAt(fields, 3),
    parent: bytesAt(fields, 4).toString('hex'),
    name: textAt(fields, 5),
    kind: kinds[numberAt(fields, 6)] ?? 'unknown',
    start: bytesAt(fields, 7).readBigUInt64LE(),
    end: bytesAt(fields, 8).readBigUInt64LE(),
    attributes: attributesAt(fields, 9),
    links: all(fields, 13).map((bytes) => {
      const link = fieldsOf(bytes);
      return {
        traceId: bytesAt(link, 1).toString('hex'),
        id: bytesAt(link, 2).toString('hex'),
        flags: flagsAt(link, 6),
      };
    }),
    status: { code: statuses[numberAt(status, 3)] ?? 'unknown', message: textAt(status, 2) },
    flags: flagsAt(fields, 16),
  };
}

interface JsonPair {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface JsonSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly JsonPair[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string; readonly flags?: number }[];
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly flags?: number;
}

interface JsonRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly JsonPair[] };
    readonly scopeSpans: readonly { readonly scope: { readonly name: string }; readonly spans: readonly JsonSpan[] }[];
  }[];
}

function jsonValue(value: JsonPair['value']): unknown {
  const [[type, one] = []] = Object.entries(value);
  if (type === 'intValue') return Number(one);
  if (type !== 'arrayValue') return one;
  return (one as { readonly values: readonly JsonPair['value'][] }).values.map(jsonValue);
}

const jsonAttributes = (pairs: readonly JsonPair[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, jsonValue(value)]));

export function spansOfJson(body: Buffer): readonly ReceivedSpan[] {
  const request = JSON.parse(body.toString()) as JsonRequest;
  return request.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        id: span.spanId,
        parent: span.parentSpanId ?? '',
        state: span.traceState ?? '',
        name: span.name,
        kind: kinds[span.kind] ?? 'unknown',
        start: BigInt(span.startTimeUnixNano),
        end: BigInt(span.endTimeUnixNano),
        attributes: jsonAttributes(span.attributes),
        links: (span.links ?? []).map(({ traceId, spanId, flags = 0 }) => ({ traceId, id: spanId, flags })),
        status: { code: statuses[span.status?.code ?? 0] ?? 'unknown', message: span.status?.message ?? '' },
        flags: span.flags ?? 0,
        resource: jsonAttributes(resource.attributes),
        scope: scope.name,
      })),
    ),
  );
}
