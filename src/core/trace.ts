/**
 * The trace that a message belongs to (W3C Trace Context, https://www.w3.org/TR/trace-context/): the one its sender is
 * in, else one that begins with it. Nothing is read or drawn before somebody asks.
 */
import { createHash } from 'node:crypto';
import type { Headers } from './exchange.ts';
import type { Random } from './random.ts';
import type { Span } from './span.ts';

interface Context {
  readonly id: string;
  /** The span of the sender; absent: the trace begins here. */
  readonly parent: string | undefined;
  readonly sampled: boolean;
}

/** How much of `tracestate` is handed on (§3.3.1.5). */
const longestState = 512;
const longestMember = 128;
const mostMembers = 32;

export class Trace {
  readonly #messageId: string;
  readonly #headers: Headers;
  readonly #random: Random;
  #context: Context | undefined;
  #state: string | undefined;
  #stateRead = false;
  #span: Span | undefined;

  /** `headers`: those of the message as it came in. */
  constructor(messageId: string, headers: Headers, random: Random) {
    this.#messageId = messageId;
    this.#headers = headers;
    this.#random = random;
  }

  /** 32 hexadecimal digits. Of a trace that begins here they are those of the message's id. */
  get id(): string {
    return this.#read.id;
  }

  /** The span in which the sender sent the message. */
  get parent(): string | undefined {
    return this.#read.parent;
  }

  /** `tracestate` as it is handed on; `undefined` where there is none. */
  get state(): string | undefined {
    if (this.#stateRead) return this.#state;
    this.#stateRead = true;
    const came = this.#headers['tracestate'];
    if (came !== undefined && this.#read.parent !== undefined) this.#state = stateFrom(came);
    return this.#state;
  }

  /** Whether it is recorded: as its sender says; of one that begins here yes. */
  get sampled(): boolean {
    return this.#read.sampled;
  }

  /** What is done now belongs to this span; `undefined`: nobody records it here. */
  get span(): Span | undefined {
    return this.#span;
  }

  /** The same trace inside a span of it; `undefined`: here it was decided that it is not recorded. */
  within(span: Span | undefined): Trace {
    const inside = new Trace(this.#messageId, this.#headers, this.#random);
    const sampled = span !== undefined;
    const context = this.#read;
    inside.#context = context.sampled === sampled ? context : { ...context, sampled };
    inside.#state = this.#state;
    inside.#stateRead = this.#stateRead;
    inside.#span = span;
    return inside;
  }

  /** `traceparent` of something that is sent now: the span that it is sent in, or one of its own. */
  next(): string {
    const { id, sampled } = this.#read;
    return `00-${id}-${this.#span?.id ?? newSpanId(this.#random)}${sampled ? '-01' : '-00'}`;
  }

  /** Writes it among the headers of something that is sent now. What the file says about it wins. */
  mark(headers: Record<string, unknown>): void {
    if (headers['traceparent'] !== undefined) return;
    headers['traceparent'] = this.next();
    const { state } = this;
    if (state !== undefined) headers['tracestate'] ??= state;
  }

  get #read(): Context {
    this.#context ??= received(this.#headers['traceparent']) ?? begun(this.#messageId);
    return this.#context;
  }
}

/** 16 hexadecimal digits. */
export const newSpanId = (random: Random): string => random.hex(16);

const noTrace = '0'.repeat(32);
const noSpan = '0'.repeat(16);
const form = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}(?:-|$)/;
const size = 55;

/** `undefined`: there is none, or it is not valid, which counts as none (§3.2.2.5). */
function received(text: string | readonly string[] | undefined): Context | undefined {
  if (typeof text !== 'string' || !form.test(text) || text.startsWith('ff')) return undefined;
  // Later versions may append; this one ends here.
  if (text.length > size && text.startsWith('00')) return undefined;
  const id = text.slice(3, 35);
  const parent = text.slice(36, 52);
  if (id === noTrace || parent === noSpan) return undefined;
  return { id, parent, sampled: (Number.parseInt(text.slice(53, size), 16) & 1) === 1 };
}

/** Sampled: our log records it. Were it not, services behind us that follow their caller would record nothing. */
function begun(messageId: string): Context {
  const id = isUuid(messageId) ? withoutDashes(messageId) : usable(messageId);
  return { id, parent: undefined, sampled: true };
}

/** Only ids that were drawn here have this form: looking at every digit would cost more than all the rest. */
const isUuid = (id: string): boolean => id.length === 36 && id[8] === '-' && id[13] === '-' && id[18] === '-';

const withoutDashes = (id: string): string =>
  id.slice(0, 8) + id.slice(9, 13) + id.slice(14, 18) + id.slice(19, 23) + id.slice(24);

const usable = (id: string): string =>
  /^[\da-f]{32}$/.test(id) ? id : createHash('sha256').update(id).digest('hex').slice(0, 32);

// Without the bounds of the standard for the two parts of a member: counting is slow, and the whole is short.
const name = '[a-z0-9][a-z0-9_\\-*/]*(?:@[a-z][a-z0-9_\\-*/]*)?';
const text = '[\\x20-\\x2b\\x2d-\\x3c\\x3e-\\x7e]*';
const member = `${name}=${text}`;
const oneMember = new RegExp(`^${member}$`);

/** Most are short and written without blanks. */
const plainState = new RegExp(`^${member}(?:,${member}){0,31}$`);

/** One that cannot be read is not handed on (§3.3.1.3); a long one loses members, large ones first, then the last. */
function stateFrom(came: string | readonly string[]): string | undefined {
  const whole = typeof came === 'string' ? came : came.join(',');
  if (whole.length <= longestState && plainState.test(whole)) return whole;
  const members = whole
    .split(',')
    .map((one) => one.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((one) => one !== '');
  if (members.length > mostMembers || !members.every((one) => oneMember.test(one))) return undefined;
  const kept = shortened(members);
  return kept.length === 0 ? undefined : kept.join(',');
}

function shortened(members: readonly string[]): readonly string[] {
  const length = (all: readonly string[]): number => all.reduce((sum, one) => sum + one.length + 1, -1);
  let kept = members;
  while (length(kept) > longestState) {
    const large = kept.findLastIndex((one) => one.length > longestMember);
    kept = kept.filter((_, index) => index !== (large < 0 ? kept.length - 1 : large));
  }
  return kept;
}
