import { type Exchange, type Headers, noHeaders, toFailure } from '#sdk';
import type { Library, Message } from './connection.ts';
import { toHeaders } from './headers.ts';

/** What `respond` says over NATS, where an answer has no status of its own. */
export const statusHeader = 'x-status';
/** How services of the NATS libraries say that they failed. */
export const errorCode = 'nats-service-error-code';
export const errorText = 'nats-service-error';

/** Sends what a flow ended with to whoever asked. */
export async function answer(library: Library, request: Message, exchange: Exchange | undefined): Promise<void> {
  if (!request.reply) return;
  if (!exchange) {
    send(library, request, '', noHeaders, 204);
    return;
  }
  const { body, reply, services } = exchange;
  const bytes = await exchange.bytes();
  const type = body.isEmpty ? undefined : body.wireType(services.codec);
  send(library, request, bytes, reply?.headers ?? exchange.ownHeaders, reply?.status ?? 200, type);
}

/** Tells whoever asked that there is no answer, and why, as far as that is their business. */
export function refuse(library: Library, request: Message, thrown: unknown): void {
  if (!request.reply) return;
  const { status, shown } = toFailure(thrown);
  send(library, request, '', noHeaders, status, undefined, shown);
}

function send(
  library: Library,
  request: Message,
  bytes: Uint8Array | string,
  own: Headers,
  status: number,
  type?: string,
  error = `status ${status}`,
): void {
  const headers = toHeaders(library, { ...own, [statusHeader]: String(status) }, type);
  if (status >= 400) {
    headers.set('Nats-Service-Error-Code', String(status));
    headers.set('Nats-Service-Error', error.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, 500));
  }
  request.respond(bytes, { headers });
}
