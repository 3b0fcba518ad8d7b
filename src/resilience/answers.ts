import { Body } from '../core/body.ts';
import { BoundedCache } from '../core/bounded-cache.ts';
import type { Clock } from '../core/clock.ts';
import { type Exchange, type Headers, noHeaders, type Response } from '../core/exchange.ts';
import type { CachedRequest } from './cached-request.ts';
import { type Judged, varyOf } from './freshness.ts';

/** What is kept of an answer. */
export interface Content extends Judged {
  readonly bytes: Uint8Array;
  readonly contentType: string | undefined;
  readonly headers: Headers;
  readonly response: Response | undefined;
}

/** They say how one answer came, not what is there. */
const ofTheWay = ['age', 'connection', 'keep-alive', 'transfer-encoding'];
/** What an answer without a body says of it is not about the body that is kept (RFC 9111 §3.2). */
const ofTheBody = ['content-encoding', 'content-length', 'content-range', 'content-type', 'transfer-encoding'];

/** An answer that was given, to be given again. Times are monotonic milliseconds. */
export class Kept {
  readonly #content: Content;
  readonly #at: number;
  readonly #inNeed: number;
  readonly #varied: readonly (readonly [name: string, value: string])[];

  constructor(content: Content, asked: CachedRequest, at: number, staleIfError: number) {
    this.#content = content;
    this.#at = at;
    this.#inNeed = content.strict ? 0 : staleIfError;
    this.#varied = varyOf(content.headers).map((name) => [name, String(asked.headers[name])]);
  }

  get headers(): Headers {
    return this.#content.headers;
  }

  /** Whether it answers this call: `Vary` may name headers that its key does not know. */
  fits({ headers }: CachedRequest): boolean {
    return this.#varied.every(([name, value]) => String(headers[name]) === value);
  }

  isFresh(now: number): boolean {
    return now < this.#at + this.#content.fresh;
  }

  isGoodInNeed(now: number): boolean {
    return now < this.#at + this.#content.fresh + this.#inNeed;
  }

  age(now: number): number {
    return Math.round(this.#content.age + now - this.#at);
  }

  /** As the endpoint would give it for `exchange`. */
  answer(exchange: Exchange, now: number): Exchange {
    return this.#given(exchange, { ...this.#content.headers, age: String(Math.floor(this.age(now) / 1000)) });
  }

  /** What the far side means when it says that nothing has changed (304). */
  renewed(answer: Exchange): Exchange {
    const headers: Record<string, string | readonly string[]> = { ...this.#content.headers };
    for (const name of ofTheWay) delete headers[name];
    for (const [name, value] of Object.entries(answer.headers)) if (!ofTheBody.includes(name)) headers[name] = value;
    return this.#given(answer, headers);
  }

  #given(exchange: Exchange, given: Headers): Exchange {
    const { bytes, contentType, response } = this.#content;
    const headers: Headers = Object.assign(Object.create(null), given);
    return exchange.with({
      body: bytes.length === 0 ? Body.empty : Body.bytes(bytes, contentType, response?.endpoint),
      headers,
      ownHeaders: noHeaders,
      response: response && { ...response, headers },
    });
  }
}

/** What a call must know of that happens while it is under way. */
export interface Watch {
  /** What is read was changed meanwhile. */
  readonly changed: boolean;
  end(): void;
}

interface Entry {
  readonly target: string;
  readonly kept: Kept | undefined;
  /** Nothing may be kept, and until then nobody waits to hear so again. */
  readonly passUntil: number;
}

/** The answers of an endpoint, in bounded memory. */
export class Answers {
  readonly #clock: Clock;
  readonly #staleIfError: number;
  readonly #entries: BoundedCache<Entry>;
  readonly #byTarget = new Map<string, Set<string>>();
  readonly #watched = new Map<string, Set<{ changed: boolean }>>();

  constructor(
    options: { readonly maxEntries: number; readonly maxSize: number; readonly staleIfError: number },
    clock: Clock,
  ) {
    this.#clock = clock;
    this.#staleIfError = options.staleIfError;
    this.#entries = new BoundedCache(options.maxEntries, options.maxSize, (key, { target }) => {
      leave(this.#byTarget, target, key);
    });
  }

  /** `pass`: it is known that the answer may not be kept. */
  find(asked: CachedRequest): Kept | 'pass' | undefined {
    const entry = this.#entries.get(asked.key);
    if (!entry?.kept) return entry && this.#clock.monotonic() < entry.passUntil ? 'pass' : undefined;
    return entry.kept.fits(asked) ? entry.kept : undefined;
  }

  keep(asked: CachedRequest, content: Content): Kept {
    const kept = new Kept(content, asked, this.#clock.monotonic(), this.#staleIfError);
    this.#set(asked, { target: asked.target, kept, passUntil: 0 }, content.bytes.length + sizeOf(content.headers));
    return kept;
  }

  pass(asked: CachedRequest, ms: number): void {
    this.#set(asked, { target: asked.target, kept: undefined, passUntil: this.#clock.monotonic() + ms }, 0);
  }

  /** What is kept of the target may not be what is there any more (RFC 9111 §4.4). */
  changed(target: string): void {
    for (const key of [...(this.#byTarget.get(target) ?? [])]) this.#entries.delete(key);
    for (const watch of this.#watched.get(target) ?? []) watch.changed = true;
  }

  watch(target: string): Watch {
    const watch = { changed: false, end: (): void => leave(this.#watched, target, watch) };
    join(this.#watched, target, watch);
    return watch;
  }

  #set(asked: CachedRequest, entry: Entry, size: number): void {
    if (this.#entries.set(asked.key, entry, size)) join(this.#byTarget, asked.target, asked.key);
  }
}

const sizeOf = (headers: Headers): number =>
  Object.entries(headers).reduce((sum, [name, value]) => sum + 2 * (name.length + String(value).length), 0);

function join<T>(groups: Map<string, Set<T>>, name: string, one: T): void {
  const group = groups.get(name) ?? new Set<T>();
  groups.set(name, group.add(one));
}

function leave<T>(groups: Map<string, Set<T>>, name: string, one: T): void {
  const group = groups.get(name);
  group?.delete(one);
  if (group?.size === 0) groups.delete(name);
}
