/** `ExportTraceServiceRequest` of OTLP in JSON: ids are hexadecimal, integers of 64 bits are text, enums are numbers. */
import type { Attributes } from '../../core/span.ts';
import {
  type FinishedSpan,
  flagsOf,
  kindNumbers,
  linkFlags,
  nanoseconds,
  type SpansOrigin,
  statusError,
} from './finished-span.ts';

export const jsonType = 'application/json';

export function spansAsJson(spans: readonly FinishedSpan[], { resource, scope }: SpansOrigin): Uint8Array {
  const resourceSpans = [
    { resource: { attributes: attributesOf(resource) }, scopeSpans: [{ scope, spans: spans.map(spanOf) }] },
  ];
  return Buffer.from(JSON.stringify({ resourceSpans }));
}

const spanOf = (span: FinishedSpan): object => ({
  traceId: span.traceId,
  spanId: span.id,
  traceState: span.state,
  parentSpanId: span.parent,
  name: span.name,
  kind: kindNumbers[span.kind],
  startTimeUnixNano: String(nanoseconds(span.start)),
  endTimeUnixNano: String(nanoseconds(span.end)),
  attributes: attributesOf(span.attributes),
  links:
    span.links.length === 0
      ? undefined
      : span.links.map(({ traceId, id }) => ({ traceId, spanId: id, flags: linkFlags })),
  status: span.error === undefined ? undefined : { message: span.error, code: statusError },
  flags: flagsOf(span),
});

const attributesOf = (attributes: Attributes): readonly object[] =>
  Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: writtenValue(value) }],
  );

function writtenValue(value: NonNullable<Attributes[string]>): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value !== 'number') return { arrayValue: { values: value.map((one) => ({ stringValue: one })) } };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
