import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Server, ServerOptions } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { type Clock, failure, type Log, type ServerSource } from '#sdk';

type Tls = NonNullable<ServerSource['tls']>;

/** How often the files are looked at: who renews certificates replaces them while we run. */
const lookEveryMs = 30_000;

/** The certificates of a server, renewed when their files are. */
export class Certificates {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #handshakeMs: number;
  #tls: Tls;
  #texts: Texts;
  #server: SecureServer | undefined;
  /** By the client's end of the connection. */
  readonly #handshakes = new Map<string, Socket>();

  constructor(tls: Tls, world: { readonly clock: Clock; readonly log: Log; readonly headers: number }) {
    this.#clock = world.clock;
    this.#log = world.log;
    this.#handshakeMs = world.headers;
    this.#tls = tls;
    this.#texts = textsOf(tls);
    checkPair(this.#texts);
  }

  serve(settings: ServerOptions): Server {
    const server = process.getBuiltinModule('node:https').createServer({
      ...settings,
      ...contextOf(this.#tls, this.#texts),
      // Who shows no certificate, or a wrong one, is answered by the source that insists on it.
      requestCert: this.#tls.ca !== undefined,
      rejectUnauthorized: false,
      handshakeTimeout: this.#handshakeMs,
      ALPNProtocols: ['http/1.1'],
    });
    this.#server = server;
    server.on('connection', (socket: Socket) => this.#arriving(socket));
    server.on('secureConnection', (socket) => this.#handshakes.delete(nameOf(socket)));
    const stop = this.#watch();
    server.on('close', stop);
    // The interface of node's http server, over other sockets.
    return server as unknown as Server;
  }

  /** Another version of the integration names other files. */
  use(tls: Tls): void {
    const texts = textsOf(tls);
    checkPair(texts);
    if (this.#server && (tls.ca === undefined) !== (this.#tls.ca === undefined)) {
      const detail = 'whether clients are asked for certificates (`server.tls.ca`) changes only with a restart';
      throw failure('startup', { what: 'TLS', detail });
    }
    this.#tls = tls;
    this.#set(texts);
  }

  #set(texts: Texts): void {
    if (same(texts, this.#texts)) return;
    this.#texts = texts;
    this.#server?.setSecureContext(contextOf(this.#tls, texts));
    const { validTo } = new X509Certificate(texts.cert);
    this.#log.info('certificates renewed', { until: new Date(validTo).toISOString() });
  }

  /** Those in their handshake, which no request knows yet. */
  giveUpArriving(): void {
    for (const socket of this.#handshakes.values()) socket.destroy();
  }

  #arriving(socket: Socket): void {
    const name = nameOf(socket);
    this.#handshakes.set(name, socket);
    socket.on('close', () => this.#handshakes.delete(name));
    socket.on('error', () => {});
  }

  #watch(): () => void {
    let cancel = (): void => {};
    let over = false;
    const next = (): void => {
      if (over) return;
      cancel = this.#clock.after(lookEveryMs, () => void this.#look().finally(next), true);
    };
    next();
    return () => {
      over = true;
      cancel();
    };
  }

  async #look(): Promise<void> {
    const { cert, key, ca } = this.#tls;
    try {
      const [newCert, newKey, newCa] = await Promise.all(
        [cert, key, ca].map(async (file) => (file ? readFile(file.path, 'utf8') : undefined)),
      );
      const texts = { cert: newCert ?? '', key: newKey ?? '', ca: newCa };
      if (same(texts, this.#texts)) return;
      checkPair(texts);
      this.#set(texts);
    } catch (thrown) {
      // Half of a renewal, most often: the next look finds the other half.
      const detail = thrown instanceof Error ? thrown.message : String(thrown);
      this.#log.warn('certificates could not be renewed: the ones before stay', { detail });
    }
  }
}

const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

interface Texts {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
}

const textsOf = ({ cert, key, ca }: Tls): Texts => ({ cert: cert.text, key: key.text, ca: ca?.text });

const same = (a: Texts, b: Texts): boolean => a.cert === b.cert && a.key === b.key && a.ca === b.ca;

const contextOf = ({ minVersion }: Tls, { cert, key, ca }: Texts): TlsOptions => ({
  cert,
  key,
  minVersion,
  ...(ca === undefined ? {} : { ca }),
});

/** Throws what is wrong with them, before a client has to find out. */
function checkPair({ cert, key, ca }: Texts): void {
  const what = 'TLS';
  const read = <T>(file: string, make: () => T): T => {
    try {
      return make();
    } catch {
      throw failure('startup', { what, detail: `what \`server.tls.${file}\` names cannot be read as PEM` });
    }
  };
  const certificate = read('cert', () => new X509Certificate(cert));
  const privateKey = read('key', () => createPrivateKey(key));
  if (ca !== undefined) read('ca', () => new X509Certificate(ca));
  if (certificate.checkPrivateKey(privateKey)) return;
  const detail = 'the key under `server.tls.key` is not that of the certificate under `server.tls.cert`';
  throw failure('startup', { what, detail });
}
