import { Body, type Headers } from '#sdk';

/** An entry of a stream as the server gives it. */
export interface Entry {
  readonly id: string;
  /** Names and values in turn; `undefined`: it was trimmed before anybody had done it. */
  readonly fields: readonly Buffer[] | undefined;
}

/** `[[id, [name, value, …]], …]`; an entry that is gone has no fields. */
export function entriesOf(reply: unknown): readonly Entry[] {
  if (!Array.isArray(reply)) return [];
  return (reply as readonly ([Buffer | string, readonly Buffer[] | null] | null)[]).flatMap((one) =>
    one ? [{ id: String(one[0]), fields: one[1] ?? undefined }] : [],
  );
}

/** What the server answers to XREADGROUP of one stream: `[[stream, entries]]`, or nothing. */
export const readOf = (reply: unknown): readonly Entry[] =>
  Array.isArray(reply) ? entriesOf((reply as readonly (readonly unknown[])[])[0]?.[1]) : [];

export interface Parts {
  readonly body: Body;
  readonly headers: Headers;
}

/** The field `bodyField` is the body and the others are headers; without it all fields together are the body. */
export function partsOf(fields: readonly Buffer[], bodyField: string): Parts {
  const headers = Object.create(null) as Record<string, string>;
  const all = Object.create(null) as Record<string, string>;
  let body: Buffer | undefined;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = String(fields[at]);
    const value = fields[at + 1] ?? Buffer.alloc(0);
    if (name === bodyField) body = value;
    else headers[name.toLowerCase()] = String(value);
    all[name] = String(value);
  }
  if (body) return { body: Body.bytes(body, headers['content-type']), headers };
  return { body: Body.bytes(JSON.stringify(all), 'application/json'), headers: Object.create(null) as Headers };
}

/** When the entry was added, if the server made its id. */
export const timeOf = (id: string): number => Number(id.split('-')[0]);
