/**
 * The trace that a message belongs to (W3C Trace Context, https://www.w3.org/TR/trace-context/): the one its sender is
 * in, else one that begins with it. Nothing is read or drawn before somebody asks.
 */
import { createHash } from 'node:crypto';
import type { Headers } from './exchange.ts';
import type { Random } from './random.ts';

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

  /** `traceparent` of something that is sent now: a span of its own. */
  next(): string {
    const { id, sampled } = this.#read;
    const uuid = this.#random.uuid();
    // What is random in a UUID, without the digits that say what it is.
    return `00-${id}-${uuid.slice(24)}${uuid.slice(0, 4)}${sampled ? '-01' : '-00'}`;
  }

  get #read(): Context {
    this.#context ??= received(this.#headers['traceparent']) ?? begun(this.#messageId);
    return this.#context;
  }
}

const zeros = /^0+$/;
const form = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?=$|-)/;

/** `undefined`: there is none, or it is not valid, which counts as none (§3.2.2.5). */
function received(text: string | readonly string[] | undefined): Context | undefined {
  if (typeof text !== 'string') return undefined;
  const [whole, version, id, parent, flags] = form.exec(text) ?? [];
  if (whole === undefined || !id || !parent || version === 'ff') return undefined;
  // Later versions may append; this one ends here.
  if (version === '00' && text.length !== whole.length) return undefined;
  if (zeros.test(id) || zeros.test(parent)) return undefined;
  return { id, parent, sampled: (Number.parseInt(flags ?? '', 16) & 1) === 1 };
}

/** Sampled: our log records it. Were it not, services behind us that follow their caller would record nothing. */
function begun(messageId: string): Context {
  const digits = messageId.replaceAll('-', '');
  const usable = /^[\da-f]{32}$/.test(digits) && !zeros.test(digits);
  const id = usable ? digits : createHash('sha256').update(messageId).digest('hex').slice(0, 32);
  return { id, parent: undefined, sampled: true };
}

const key = /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})$/;
const value = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** One that cannot be read is not handed on (§3.3.1.3); a long one loses members, large ones first, then the last. */
function stateFrom(came: string | readonly string[]): string | undefined {
  const text = typeof came === 'string' ? came : came.join(',');
  const members = text
    .split(',')
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '');
  const keys = members.map((member) => member.slice(0, Math.max(0, member.indexOf('='))));
  const valid = members.every((member, index) => {
    const name = keys[index] ?? '';
    return key.test(name) && value.test(member.slice(name.length + 1));
  });
  if (!valid || members.length > mostMembers || new Set(keys).size < keys.length) return undefined;
  const kept = shortened(members);
  return kept.length === 0 ? undefined : kept.join(',');
}

function shortened(members: readonly string[]): readonly string[] {
  const size = (all: readonly string[]): number => all.reduce((sum, one) => sum + one.length + 1, -1);
  let kept = members;
  while (size(kept) > longestState) {
    const large = kept.findLastIndex((one) => one.length > longestMember);
    kept = kept.filter((_, index) => index !== (large < 0 ? kept.length - 1 : large));
  }
  return kept;
}
