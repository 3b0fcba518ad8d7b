import { createHash } from 'node:crypto';
import type { EndpointOptions, SourceOptions } from './definition.ts';

/** What a connection is made by. */
export interface Settings {
  readonly urls: readonly URL[];
  readonly version: 5 | '3.1.1';
  readonly clientId: string;
  /** The broker keeps nothing of us when the connection ends. */
  readonly clean: boolean;
  /** Seconds that it keeps a session which is not clean. */
  readonly sessionExpiry: number;
  readonly receiveMaximum: number | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: {
    readonly ca: string | undefined;
    readonly cert: string | undefined;
    readonly key: string | undefined;
    readonly servername: string | undefined;
    readonly rejectUnauthorized: boolean;
  };
  /** Seconds. */
  readonly keepalive: number;
  /** Milliseconds. */
  readonly connectTimeout: number;
}

type Session = Pick<Settings, 'clientId' | 'clean' | 'sessionExpiry' | 'receiveMaximum'>;

/** Never, in the protocol's own way (MQTT 5 §3.1.2.11.2). */
const forever = 0xffff_ffff;

export function settingsOf(options: SourceOptions | EndpointOptions, session: Session): Settings {
  const urls = [options.url].flat().map((one) => new URL(one));
  const user = urls.find((one) => one.username !== '');
  const { tls } = options;
  return {
    ...session,
    urls,
    version: options.version === '3.1.1' ? '3.1.1' : 5,
    sessionExpiry: Math.min(forever, Math.ceil(session.sessionExpiry)),
    username: options.username ?? (user && decodeURIComponent(user.username)),
    password: options.password ?? (user && user.password !== '' ? decodeURIComponent(user.password) : undefined),
    tls: {
      ca: tls?.ca?.text,
      cert: tls?.cert?.text,
      key: tls?.key?.text,
      servername: tls?.servername,
      rejectUnauthorized: tls?.rejectUnauthorized ?? true,
    },
    keepalive: Math.max(1, Math.ceil(options.keepalive / 1000)),
    connectTimeout: options.connectTimeout,
  };
}

/** Equal where connections are. */
export const keyOf = (...parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url');

/** Where a broker is, without what nobody may read. */
export function placeOf({ protocol, hostname, port }: URL): string {
  return `${protocol}//${hostname}:${port === '' ? defaultPort(protocol) : port}`;
}

export const defaultPort = (protocol: string): number => (protocol === 'mqtts:' ? 8883 : 1883);
