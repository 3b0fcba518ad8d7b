/**
 * What an OpenID provider and authorization server says over the wire: discovery, keys that can be rotated while it runs,
 * tokens for client credentials and token exchange, introspection. Tokens are signed here with node:crypto alone.
 */
import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface Key {
  readonly kid: string;
  readonly alg: 'RS256' | 'ES256' | 'EdDSA';
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export type Claims = Readonly<Record<string, unknown>>;

/** A request for a token or about one. */
export interface Asked {
  readonly path: string;
  readonly form: URLSearchParams;
  readonly authorization: string | undefined;
}

/** Not of RSA, if nothing is said: such a key takes a tenth of a second to find. */
export function newKey(alg: Key['alg'] = 'ES256', kid: string = randomUUID()): Key {
  const pair =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : alg === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519');
  return { kid, alg, ...pair };
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A signed token; `header` replaces fields of the usual one. */
export function signed(key: Key, claims: Claims, header: Claims = {}): string {
  const text = `${encoded({ alg: key.alg, typ: 'at+jwt', kid: key.kid, ...header })}.${encoded(claims)}`;
  const digest = key.alg === 'EdDSA' ? null : 'sha256';
  const how = { key: key.privateKey, dsaEncoding: 'ieee-p1363' } as const;
  return `${text}.${sign(digest, Buffer.from(text), how).toString('base64url')}`;
}

/** A token that says of itself that nobody signed it. */
export const unsigned = (claims: Claims): string => `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(claims)}.`;

/** A token signed with the public key, taken for a shared secret. */
export function signedWithPublicKey(key: Key, claims: Claims): string {
  const text = `${encoded({ alg: 'HS256', typ: 'JWT', kid: key.kid })}.${encoded(claims)}`;
  const secret = key.publicKey.export({ type: 'spki', format: 'pem' });
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

export class OpenIdProvider {
  readonly url: string;
  readonly #server: http.Server;
  keys: readonly Key[] = [newKey()];
  /** How often each path was asked for. */
  readonly hits = new Map<string, number>();
  readonly asked: Asked[] = [];
  /** `false`: it answers 503 to everything. */
  up = true;
  /** Tokens that introspection knows, with what it says about them. */
  readonly known = new Map<string, Claims>();
  /** What it answers to who asks for a token; absent: a token of its own. */
  answer: ((asked: Asked) => { readonly status: number; readonly json: unknown } | undefined) | undefined;
  /** Seconds that its tokens live. */
  life = 300;
  issuer: string;

  static async start(t: Pick<TestContext, 'after'>): Promise<OpenIdProvider> {
    const server = http.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    return new OpenIdProvider(server);
  }

  private constructor(server: http.Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.issuer = `${this.url}/realm`;
    server.on('request', (request, response) => void this.#serve(request, response));
  }

  get key(): Key {
    const [first] = this.keys;
    if (!first) throw new Error('the provider has no key');
    return first;
  }

  /** New tokens are signed with a new key; old ones are good no more. */
  rotate(alg: Key['alg'] = 'ES256'): Key {
    this.keys = [newKey(alg)];
    return this.key;
  }

  /** A token as it gives them out; `claims` replaces those that are usual. */
  token(claims: Claims = {}, header: Claims = {}): string {
    return signed(this.key, this.claims(claims), header);
  }

  claims(claims: Claims = {}): Claims {
    const now = Math.floor(Date.now() / 1000);
    const all = { iss: this.issuer, aud: 'orders-api', sub: 'ada', client_id: 'shop', iat: now, exp: now + this.life };
    return { ...all, scope: 'orders.read orders.write', ...claims };
  }

  hitsOf(path: string): number {
    return this.hits.get(path) ?? 0;
  }

  /** Nobody listens there any more. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    this.hits.set(path, this.hitsOf(path) + 1);
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const { status, json } = this.up
      ? this.#answerTo({ path, form, authorization: request.headers.authorization })
      : { status: 503, json: {} };
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(json));
  }

  #answerTo(asked: Asked): { readonly status: number; readonly json: unknown } {
    switch (asked.path) {
      case '/realm/.well-known/openid-configuration':
        return {
          status: 200,
          json: { issuer: this.issuer, jwks_uri: `${this.url}/keys`, token_endpoint: `${this.url}/token` },
        };
      case '/keys':
        return {
          status: 200,
          json: {
            keys: this.keys.map(({ kid, alg, publicKey }) => ({
              ...publicKey.export({ format: 'jwk' }),
              kid,
              alg,
              use: 'sig',
            })),
          },
        };
      case '/introspect':
        this.asked.push(asked);
        return { status: 200, json: this.known.get(asked.form.get('token') ?? '') ?? { active: false } };
      case '/token': {
        this.asked.push(asked);
        const own = { access_token: `token-${this.asked.length}`, token_type: 'Bearer', expires_in: this.life };
        return this.answer?.(asked) ?? { status: 200, json: own };
      }
      default:
        return { status: 404, json: {} };
    }
  }
}
