/** How a dead letter is kept as bytes. */
import { createHash } from 'node:crypto';
import { keptHeaders } from '../../core/record.ts';
import type { DeadLetter } from '../dead-letter.ts';

/** What is known about a letter besides what it says itself. */
export interface LetterHead {
  readonly letter: DeadLetter;
  /** The definition that gave it up first, where it was kept. */
  readonly original: { readonly hash: string; readonly version: string | undefined } | undefined;
  /** Bytes of its body. */
  readonly size: number;
  /** Of the body: tells whether another one with the same id brought the same. */
  readonly digest: string;
  /** What the keys of the parts of the body begin with; there are none when it is empty. */
  readonly parts: string;
  readonly count: number;
}

/** A letter as it is found in the store. */
export interface KeptLetter {
  /** Of the letter: that of its message, and for what could not be undone a longer one. */
  readonly id: string;
  readonly letter: DeadLetter;
  readonly size: number;
}

/**
 * The id of a letter. Of one message several things may have to be undone by hand: none of them may take another's place.
 */
export function letterId({ type, id, place }: DeadLetter, body: Uint8Array): string {
  if (type === 'message') return id;
  const hash = createHash('sha256')
    .update(`${place ?? ''} `)
    .update(body)
    .digest('hex');
  return `${id}-undo-${hash.slice(0, 8)}`;
}

export const digestOf = (body: Uint8Array): string => createHash('sha256').update(body).digest('base64url');

// What a client library calls an offset may be no number that JSON knows.
const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

export const writeHead = (head: LetterHead): Uint8Array => Buffer.from(JSON.stringify(head, plain));

export function readHead(bytes: Uint8Array): LetterHead {
  const head = JSON.parse(Buffer.from(bytes).toString()) as LetterHead;
  return { ...head, letter: { ...head.letter, headers: keptHeaders(head.letter.headers) } };
}
