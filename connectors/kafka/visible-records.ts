/** A batch as the broker keeps it, as far as it matters here. */
export interface Batch {
  readonly firstOffset: bigint;
  readonly lastOffsetDelta: number;
  readonly attributes: number;
  readonly firstTimestamp: bigint;
  readonly maxTimestamp: bigint;
  readonly producerId: bigint;
  readonly records: readonly {
    readonly length: number;
    readonly timestampDelta: bigint;
    readonly offsetDelta: number;
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    readonly headers: readonly (readonly [Buffer | null, Buffer | null])[];
  }[];
}

/** A record that a flow may see. */
export interface Fetched {
  readonly offset: bigint;
  /** Milliseconds since the epoch, as the topic is set: when it was made, or when the broker got it. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [Buffer | null, Buffer | null])[];
  readonly bytes: number;
}

const logAppendTime = 1 << 3;
const transactional = 1 << 4;
const control = 1 << 5;

/**
 * What of a fetched piece of log is to be seen from `position` on: no markers, nothing of transactions that were
 * aborted, nothing that stands before (a broker sends whole batches). `next`: where the log goes on; in a compacted
 * topic that is further than the last record.
 */
export function visibleRecords(
  batches: readonly Batch[],
  position: bigint,
  abortedTransactions: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[] | null,
): { readonly records: readonly Fetched[]; readonly next: bigint } {
  const begun = [...(abortedTransactions ?? [])].sort((a, b) => Number(a.firstOffset - b.firstOffset));
  const aborted = new Set<bigint>();
  const records: Fetched[] = [];
  let next = position;
  for (const batch of batches) {
    const last = batch.firstOffset + BigInt(batch.lastOffsetDelta);
    for (let [first] = begun; first && first.firstOffset <= last; [first] = begun) {
      aborted.add(first.producerId);
      begun.shift();
    }
    if (batch.attributes & control) {
      if (isAbort(batch)) aborted.delete(batch.producerId);
    } else if (!(batch.attributes & transactional && aborted.has(batch.producerId))) {
      for (const record of recordsOf(batch)) if (record.offset >= position) records.push(record);
    }
    if (last >= next) next = last + 1n;
  }
  return { records, next };
}

/** The key of a marker: its version, and its kind: 0 = the transaction was aborted. */
const isAbort = ({ records }: Batch): boolean => {
  const key = records[0]?.key;
  return key !== null && key !== undefined && key.length >= 4 && key.readInt16BE(2) === 0;
};

function* recordsOf(batch: Batch): Generator<Fetched> {
  const appended = batch.attributes & logAppendTime ? batch.maxTimestamp : undefined;
  for (const { offsetDelta, timestampDelta, key, value, headers, length } of batch.records) {
    yield {
      offset: batch.firstOffset + BigInt(offsetDelta),
      timestamp: Number(appended ?? batch.firstTimestamp + timestampDelta),
      key,
      value,
      headers,
      bytes: length,
    };
  }
}
