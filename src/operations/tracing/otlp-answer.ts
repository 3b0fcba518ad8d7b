/** `ExportTraceServiceResponse`: what a receiver that took the request says about single spans. */

export interface Rejected {
  readonly rejected: number;
  /** In the receiver's words. */
  readonly why: string;
}

const none: Rejected = { rejected: 0, why: '' };

export function rejectedByJson(body: Uint8Array): Rejected {
  try {
    const answer: unknown = JSON.parse(Buffer.from(body).toString());
    const { partialSuccess } = answer as { partialSuccess?: { rejectedSpans?: unknown; errorMessage?: unknown } };
    const rejected = Number(partialSuccess?.rejectedSpans ?? 0);
    return rejected > 0 ? { rejected, why: String(partialSuccess?.errorMessage ?? '') } : none;
  } catch {
    return none;
  }
}

/** `partial_success` is field 1, in it `rejected_spans` field 1 and `error_message` field 2. What cannot be read says nothing. */
export function rejectedByProtobuf(body: Uint8Array): Rejected {
  for (const outer of fieldsOf(Buffer.from(body))) {
    if (outer.field !== 1 || !outer.bytes) continue;
    const inner = [...fieldsOf(outer.bytes)];
    const rejected = inner.find((one) => one.field === 1)?.number ?? 0;
    const why = inner.find((one) => one.field === 2)?.bytes?.toString() ?? '';
    return rejected > 0 ? { rejected, why } : none;
  }
  return none;
}

interface Field {
  readonly field: number;
  readonly number?: number;
  readonly bytes?: Buffer;
}

/** Integers and what has a length; at anything else, and at the first byte that does not fit, it ends. */
function* fieldsOf(bytes: Buffer): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; at < bytes.length; factor *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < bytes.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    if (tag % 8 === 0) yield { field, number: varint() };
    else if (tag % 8 === 2) {
      const size = varint();
      yield { field, bytes: bytes.subarray(at, at + size) };
      at += size;
    } else return;
  }
}
