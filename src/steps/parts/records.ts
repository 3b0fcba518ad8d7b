/** The records of a body, one behind the other, without ever having all of it in memory. */
import type { Exchange } from '../../core/exchange.ts';
import type { Life } from '../../core/life.ts';
import { failure } from '../../errors.ts';
import { type FoundRecord, parseContentType, StreamDecoder } from '../../format/index.ts';
import type { RecordFormat } from '../../format/record-formats.ts';

export interface RecordRules {
  readonly format: RecordFormat;
  readonly options: unknown;
  /** Records of one batch. */
  readonly batch: number;
  /** Characters of one record. */
  readonly longest: number;
}

export interface Batch {
  /** Of the first record, from 0. */
  readonly index: number;
  readonly records: readonly FoundRecord[];
}

/** What is read at once, however much comes at once. */
const pieceSize = 64 * 1024;

/** Rejects when nothing behind can be read; what stood before it has been yielded. */
export async function* batches(exchange: Exchange, life: Life, rules: RecordRules): AsyncGenerator<Batch> {
  const { format, batch } = rules;
  const { contentType } = exchange.body;
  const charset = contentType === undefined ? undefined : parseContentType(contentType).charset;
  const decoder = new StreamDecoder(format.name, (head) => format.charset(head, charset), format.head);
  let found: FoundRecord[] = [];
  let index = 0;
  const reader = format.reader(rules.options, (record) => found.push(record), rules.longest);
  const complete = function* (last: boolean): Generator<Batch> {
    let at = 0;
    for (; found.length - at >= batch || (last && at < found.length); at += batch) {
      const records = found.slice(at, at + batch);
      yield { index, records };
      index += records.length;
    }
    found = found.slice(at);
  };
  const readOn = (step: () => void): unknown => {
    try {
      step();
      return undefined;
    } catch (thrown) {
      return thrown;
    }
  };
  for await (const bytes of pieces(exchange, life)) {
    const broken = readOn(() => reader.write(decoder.decode(bytes)));
    yield* complete(broken !== undefined);
    if (broken !== undefined) throw broken;
  }
  const broken = readOn(() => {
    reader.write(decoder.end());
    reader.end();
  });
  yield* complete(true);
  if (broken !== undefined) throw broken;
}

async function* pieces(exchange: Exchange, life: Life): AsyncGenerator<Uint8Array> {
  await exchange.settle();
  const source = exchange.body.takeStream();
  if (!source) {
    yield* cut(await bytesOf(exchange));
    return;
  }
  const { stream } = source;
  const leave = life.onAbort((reason) => stream.destroy(reason));
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) yield* cut(chunk);
    life.check();
  } finally {
    leave();
    stream.destroy();
  }
}

async function bytesOf(exchange: Exchange): Promise<Uint8Array> {
  if (exchange.body.isValue && typeof (await exchange.value()) !== 'string') {
    const detail =
      '`split` takes a body apart that is text or bytes, and here a step has made a value of it: use `forEach`';
    throw failure('validation', { detail });
  }
  const content = exchange.body.isValue ? String(await exchange.value()) : await exchange.bytes();
  return typeof content === 'string' ? Buffer.from(content) : content;
}

function* cut(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceSize) yield bytes.subarray(at, at + pieceSize);
}
