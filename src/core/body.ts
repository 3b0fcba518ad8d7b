import type { Readable } from 'node:stream';
import { Failure, failure } from '../errors.ts';

/** Bytes ⇄ value by content type; the format layer gives it to the engine. */
export interface Codec {
  /** Throws `malformed` or `unsupported-media-type`. No bytes = `undefined`. */
  read(bytes: Uint8Array, contentType: string | undefined): unknown;
  /** The content type of values that nobody gave one. */
  readonly defaultType: string;
  write(value: unknown, contentType: string | undefined): { bytes: Uint8Array | string; contentType: string };
}

/** A body that has not arrived in full. */
export interface StreamSource {
  readonly stream: Readable;
  /** Bytes, when the sender said so. */
  readonly length?: number | undefined;
  /** The largest number of bytes that may be collected when somebody looks. */
  readonly limit: number;
  readonly tooLarge: (limit: number) => Failure;
}

type State =
  | { readonly is: 'empty' }
  | { readonly is: 'value'; readonly value: unknown; bytes?: Uint8Array | string }
  | { readonly is: 'bytes'; readonly bytes: Uint8Array | string; parsed?: { readonly value: unknown } }
  | { readonly is: 'stream'; readonly source: StreamSource }
  | { readonly is: 'taken' };

const asBytes = (bytes: Uint8Array | string): Uint8Array => (typeof bytes === 'string' ? Buffer.from(bytes) : bytes);

/**
 * The content of a message: bytes or a stream until somebody looks, then also a value. Seen from outside it never
 * changes; parsing, serialising and collecting happen once and are remembered.
 */
export class Body {
  static readonly empty = new Body({ is: 'empty' }, undefined);

  static value(value: unknown, contentType?: string): Body {
    if (value === undefined) return Body.empty;
    if (value instanceof Uint8Array) return Body.bytes(value, contentType ?? 'application/octet-stream');
    return new Body({ is: 'value', value }, contentType);
  }

  /** `answeredBy` is the endpoint whose answer this is: when it cannot be read, that is not the caller's fault. */
  static bytes(bytes: Uint8Array | string, contentType: string | undefined, answeredBy?: string): Body {
    return new Body({ is: 'bytes', bytes }, contentType, answeredBy);
  }

  static stream(source: StreamSource, contentType: string | undefined, answeredBy?: string): Body {
    // Whoever reads hears of an error. While nobody does, the sender may be gone already: without a listener that would
    // end the process.
    source.stream.on('error', () => {});
    return new Body({ is: 'stream', source }, contentType, answeredBy);
  }

  /** As the sender named it; `undefined` for a value that no step gave a type. */
  readonly contentType: string | undefined;
  readonly #answeredBy: string | undefined;
  #state: State;
  #collecting: Promise<Uint8Array> | undefined;
  #relay = false;

  private constructor(state: State, contentType: string | undefined, answeredBy?: string) {
    this.#state = state;
    this.contentType = contentType;
    this.#answeredBy = answeredBy;
  }

  /** What a step made is written as the headers say that go with it; bytes are what they are. */
  as(contentType: string | readonly string[] | undefined): Body {
    const state = this.#state;
    if (state.is !== 'value' || typeof contentType !== 'string' || contentType === this.contentType) return this;
    return new Body({ is: 'value', value: state.value }, contentType);
  }

  get isEmpty(): boolean {
    return this.#state.is === 'empty' || (this.#state.is === 'bytes' && this.#state.bytes.length === 0);
  }

  get isStream(): boolean {
    return this.#state.is === 'stream';
  }

  /** Made by a step: no bytes yet. */
  get isValue(): boolean {
    return this.#state.is === 'value';
  }

  /** The length in bytes where it is known without work. */
  get length(): number | undefined {
    const state = this.#state;
    if (state.is === 'empty') return 0;
    if (state.is === 'bytes')
      return typeof state.bytes === 'string' ? Buffer.byteLength(state.bytes) : state.bytes.length;
    return state.is === 'stream' ? state.source.length : undefined;
  }

  /** The parsed body; `undefined` when there is none. Throws `malformed`, `unsupported-media-type`, `too-large`; of an answer `invalid-response`. */
  value(codec: Codec): unknown | Promise<unknown> {
    const state = this.#state;
    if (state.is === 'empty') return undefined;
    if (state.is === 'value') return state.value;
    if (state.is === 'bytes') {
      state.parsed ??= { value: this.read(state.bytes, (bytes) => codec.read(bytes, this.contentType)) };
      return state.parsed.value;
    }
    return this.#collect().then(() => this.value(codec));
  }

  /** Reads bytes of this body; the error of an answer that cannot be read is `invalid-response`. */
  read(bytes: Uint8Array | string, reader: (bytes: Uint8Array) => unknown): unknown {
    try {
      return reader(asBytes(bytes));
    } catch (thrown) {
      if (this.#answeredBy === undefined || !(thrown instanceof Failure) || thrown.kind !== 'permanent') throw thrown;
      throw failure('invalid-response', { endpoint: this.#answeredBy, detail: thrown.message }, { cause: thrown });
    }
  }

  /** What goes over the wire, with the content type that belongs to it. */
  bytes(codec: Codec): Uint8Array | string | Promise<Uint8Array | string> {
    const state = this.#state;
    if (state.is === 'empty') return '';
    if (state.is === 'bytes') return state.bytes;
    if (state.is === 'value') {
      state.bytes ??= codec.write(state.value, this.contentType).bytes;
      return state.bytes;
    }
    return this.#collect();
  }

  /** The content type of what {@link bytes} gives. */
  wireType(codec: Codec): string | undefined {
    if (this.#state.is !== 'value' || this.contentType !== undefined) return this.contentType;
    return codec.defaultType;
  }

  /** The flow was found to pass this body on at most once, unseen: a step may hand its stream over. */
  allowRelay(): void {
    this.#relay = true;
  }

  /** Who hands the stream over must collect it before. */
  get mustSettle(): boolean {
    return this.isStream && !this.#relay;
  }

  /**
   * Hands the stream over, once: whoever takes it must read or destroy it. `undefined` when it is not a stream; throws
   * why it broke off before anybody read it, for it would not say so again.
   */
  takeStream(): StreamSource | undefined {
    const state = this.#state;
    if (state.is !== 'stream' || this.#collecting) return undefined;
    const { stream } = state.source;
    if (stream.destroyed) throw stream.errored ?? failure('bug', { detail: 'the stream of this body was given back' });
    this.#state = { is: 'taken' };
    return state.source;
  }

  /** Calls `listener` once nothing more is read from the far side: at once when it is no stream. */
  whenClosed(listener: () => void): void {
    if (this.#state.is !== 'stream' || this.#state.source.stream.closed) listener();
    else this.#state.source.stream.once('close', listener);
  }

  /** Nobody will look any more: a stream that was not read to its end gives its connection back. */
  discard(): void {
    if (this.#state.is === 'stream') this.#state.source.stream.destroy();
  }

  #collect(): Promise<Uint8Array> {
    if (this.#collecting) return this.#collecting;
    const state = this.#state;
    if (state.is !== 'stream') {
      return Promise.reject(failure('bug', { detail: 'the stream of this body was already given away' }));
    }
    this.#collecting = collect(state.source).then((bytes) => {
      this.#state = { is: 'bytes', bytes };
      return bytes;
    });
    return this.#collecting;
  }
}

async function collect(source: StreamSource): Promise<Uint8Array> {
  if (source.length !== undefined && source.length > source.limit) {
    source.stream.destroy();
    throw source.tooLarge(source.limit);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source.stream as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    // Leaving the loop destroys the stream.
    if (length > source.limit) throw source.tooLarge(source.limit);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, length);
}
