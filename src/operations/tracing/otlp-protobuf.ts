/** `ExportTraceServiceRequest` of OTLP in Protocol Buffers (opentelemetry-proto 1.x); numbers are those of its fields. */
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
import { ProtobufWriter } from './protobuf-writer.ts';

export const protobufType = 'application/x-protobuf';

export function spansAsProtobuf(spans: readonly FinishedSpan[], { resource, scope }: SpansOrigin): Uint8Array {
  const out = new ProtobufWriter();
  out.message(1, () => {
    out.message(2, () => {
      for (let index = spans.length - 1; index >= 0; index--) {
        const span = spans[index];
        if (span) out.message(2, () => writeSpan(out, span));
      }
      out.message(1, () => {
        out.string(2, scope.version);
        out.string(1, scope.name);
      });
    });
    out.message(1, () => writeAttributes(out, 1, resource));
  });
  return out.finish();
}

function writeSpan(out: ProtobufWriter, span: FinishedSpan): void {
  const { error } = span;
  out.fixed32(16, flagsOf(span));
  if (error !== undefined) {
    out.message(15, () => {
      out.integer(3, statusError);
      out.string(2, error);
    });
  }
  for (const { traceId, id } of span.links.toReversed()) {
    out.message(13, () => {
      out.fixed32(6, linkFlags);
      out.hex(2, id);
      out.hex(1, traceId);
    });
  }
  writeAttributes(out, 9, span.attributes);
  out.fixed64(8, nanoseconds(span.end));
  out.fixed64(7, nanoseconds(span.start));
  out.integer(6, kindNumbers[span.kind]);
  out.string(5, span.name);
  if (span.parent !== undefined) out.hex(4, span.parent);
  if (span.state !== undefined) out.string(3, span.state);
  out.hex(2, span.id);
  out.hex(1, span.traceId);
}

function writeAttributes(out: ProtobufWriter, field: number, attributes: Attributes): void {
  for (const [key, value] of Object.entries(attributes).reverse()) {
    if (value === undefined) continue;
    out.message(field, () => {
      out.message(2, () => writeValue(out, value));
      out.string(1, key);
    });
  }
}

function writeValue(out: ProtobufWriter, value: NonNullable<Attributes[string]>): void {
  if (typeof value === 'string') out.string(1, value);
  else if (typeof value === 'boolean') out.integer(2, value ? 1 : 0);
  else if (typeof value !== 'number') {
    out.message(5, () => {
      for (const one of [...value].reverse()) out.message(1, () => out.string(1, one));
    });
  } else if (Number.isSafeInteger(value)) out.integer(3, value);
  else out.double(4, value);
}
