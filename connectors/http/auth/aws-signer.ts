import type { Clock } from '#sdk';
import { awsDate, awsSignature, sha256 } from './aws-signature.ts';
import type { AwsOptions } from './outgoing-options.ts';

export interface Unsigned {
  readonly method: string;
  readonly origin: string;
  readonly path: string;
  /** Raw pairs. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | string;
}

/** Gives the raw pairs by which a request is signed. */
export type Sign = (request: Unsigned) => readonly string[];

export function awsSigner({ sessionToken, ...credentials }: AwsOptions, clock: Clock): Sign {
  return ({ method, origin, path, headers, body }) => {
    const digest = sha256(body);
    const own = new Map([['x-amz-date', awsDate(clock.now())]]);
    if (credentials.service === 's3') own.set('x-amz-content-sha256', digest);
    if (sessionToken !== undefined) own.set('x-amz-security-token', sessionToken);
    const signed = new Map([...own, ['host', new URL(origin).host], ...told(headers)]);
    const authorization = awsSignature({ method, path, headers: signed, digest }, credentials);
    return [...[...own].flat(), 'authorization', authorization];
  };
}

/** What the file says to the service. Traces and the like may be changed on the way. */
function told(headers: readonly string[]): Map<string, string> {
  const all = new Map<string, string>();
  for (let at = 0; at < headers.length; at += 2) {
    const name = (headers[at] ?? '').toLowerCase();
    const value = headers[at + 1] ?? '';
    if (name !== 'content-type' && !name.startsWith('x-amz-')) continue;
    const before = all.get(name);
    all.set(name, before === undefined ? value : `${before},${value}`);
  }
  return all;
}
