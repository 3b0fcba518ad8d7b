/** How a message ended, kept for those that repeat it. */
import { Body } from '../../core/body.ts';
import type { Exchange, Headers, Variables } from '../../core/exchange.ts';
import { keptBody, keptHeaders } from '../../core/record.ts';
import { failure } from '../../errors.ts';

export interface ResultHead {
  /** `too-large`: it ended well, but nobody can say again what it said. */
  readonly ended: 'nothing' | 'reply' | 'message' | 'too-large';
  readonly status?: number;
  readonly headers?: Headers;
  readonly contentType?: string | undefined;
  /** There is a body, of no bytes. */
  readonly blank?: boolean;
  readonly variables?: Variables;
}

export interface Result {
  readonly head: ResultHead;
  readonly body: Uint8Array | string;
}

export const nothing: Result = { head: { ended: 'nothing' }, body: '' };
export const tooLarge: Result = { head: { ended: 'too-large' }, body: '' };

/** What `end` says; with the variables that are new since `start` where somebody may ask for them. */
export async function resultOf(end: Exchange | undefined, start: Exchange | undefined): Promise<Result> {
  if (!end) return nothing;
  const body = await end.bytes();
  const common = {
    contentType: end.body.wireType(end.services.codec),
    ...(body.length === 0 && !end.body.isEmpty ? { blank: true } : {}),
    ...(start ? { variables: newVariables(start, end) } : {}),
  };
  const { reply } = end;
  if (reply) return { head: { ended: 'reply', status: reply.status, headers: reply.headers, ...common }, body };
  return { head: { ended: 'message', headers: end.ownHeaders, ...common }, body };
}

function newVariables(start: Exchange, end: Exchange): Variables {
  return Object.fromEntries(Object.entries(end.variables).filter(([name, value]) => start.variables[name] !== value));
}

/** The end of `exchange`, had it gone the way of the message whose result was kept. */
export function resultFrom(head: ResultHead, bytes: Uint8Array, exchange: Exchange): Exchange | undefined {
  const { ended, status = 200, contentType, blank, variables } = head;
  if (ended === 'nothing') return undefined;
  if (ended === 'too-large') throw failure('reply-not-kept');
  const body = blank ? Body.value('', contentType) : keptBody(bytes, contentType);
  const headers = keptHeaders(head.headers);
  if (ended === 'reply') return exchange.with({ body, reply: { status, headers } });
  const end = exchange.with({ body, ownHeaders: headers });
  return variables ? end.withVariables(variables) : end;
}
