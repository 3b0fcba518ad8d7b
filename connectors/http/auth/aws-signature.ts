/** AWS Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). */
import { createHash, createHmac } from 'node:crypto';

export interface AwsCredentials {
  readonly region: string;
  readonly service: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface Signable {
  readonly method: string;
  /** Path and query, as they go over the wire. */
  readonly path: string;
  /** All that is signed, by lower-case name; `host` and `x-amz-date` among them. */
  readonly headers: ReadonlyMap<string, string>;
  /** Of the body, in hexadecimal digits. */
  readonly digest: string;
}

const algorithm = 'AWS4-HMAC-SHA256';

export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/** The value of the `Authorization` header. */
export function awsSignature(
  request: Signable,
  { region, service, accessKeyId, secretAccessKey }: AwsCredentials,
): string {
  const at = request.headers.get('x-amz-date') ?? '';
  const day = at.slice(0, 8);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const names = [...request.headers.keys()].sort();
  const signed = names.join(';');
  const [path = '', query = ''] = split(request.path);
  const canonical = [
    request.method,
    // S3 takes a path as it is; everybody else encodes once more what came over the wire.
    service === 's3' ? encodedOnce(path) : normalised(path),
    canonicalQuery(query),
    ...names.map((name) => `${name}:${plain(request.headers.get(name) ?? '')}`),
    '',
    signed,
    request.digest,
  ].join('\n');
  const key = [region, service, 'aws4_request'].reduce<Buffer>(hmac, hmac(`AWS4${secretAccessKey}`, day));
  const signature = hmac(key, [algorithm, at, scope, sha256(canonical)].join('\n')).toString('hex');
  return `${algorithm} Credential=${accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`;
}

/** `20150830T123600Z` */
export const awsDate = (now: number): string => new Date(now).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');

function split(path: string): readonly string[] {
  const at = path.indexOf('?');
  return at < 0 ? [path] : [path.slice(0, at), path.slice(at + 1)];
}

const plain = (value: string): string => value.trim().replaceAll(/ +/g, ' ');

/** Everything but the unreserved characters of RFC 3986, which `encodeURIComponent` is too generous for. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const encodedOnce = (path: string): string =>
  path
    .split('/')
    .map((segment) => encoded(decoded(segment)))
    .join('/') || '/';

/** Without empty segments and dots (RFC 3986 §5.2.4). */
function normalised(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(encoded(segment));
  }
  const end = kept.length > 0 && path.endsWith('/') ? '/' : '';
  return `/${kept.join('/')}${end}`;
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  const pairs = query.split('&').map((pair): readonly [string, string] => {
    const at = pair.indexOf('=');
    const [name, value] = at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
    return [encoded(decoded(name)), encoded(decoded(value))];
  });
  const before = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return pairs
    .toSorted((a, b) => before(a[0], b[0]) || before(a[1], b[1]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}
