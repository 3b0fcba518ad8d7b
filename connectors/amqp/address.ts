import type { ConnectionOptions } from './connection-options.ts';

/** One broker, as the client wants it. */
export interface Address {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  /** Percent-encoded. */
  readonly vhost: string;
  readonly username: string;
  readonly password: string;
  /** For people: without user and password. */
  readonly label: string;
}

const ports = { 'amqp:': 5672, 'amqps:': 5671 } as const;

/** What is wrong with a URL, and what to write instead; `undefined` for a good one. */
export function addressProblem(
  text: string,
): { readonly message: string; readonly suggestion?: string | undefined } | undefined {
  if (!URL.canParse(text)) return undefined; // reported by its format
  const url = new URL(text);
  if (!Object.hasOwn(ports, url.protocol)) {
    const tls = /^(https|wss|mqtts|ssl|tls)/.test(url.protocol);
    const shown = url.username || url.password ? undefined : text.replace(/^[^:]+:/, tls ? 'amqps:' : 'amqp:');
    return {
      message: `\`${url.protocol}\` is not a protocol of this connector: write \`amqp:\`, or \`amqps:\` for TLS`,
      suggestion: shown,
    };
  }
  if (url.hostname === '') return { message: 'the URL names no host: write `amqp://host:port/vhost`' };
  if (url.search !== '') {
    return {
      message: 'settings are options of their own here (`heartbeat`, `connectTimeout` …): drop what follows `?`',
    };
  }
  if (url.pathname.slice(1).includes('/')) {
    return {
      message: 'behind the host stands one virtual host: a slash in its name is written `%2F`',
      ...(url.username || url.password ? {} : { suggestion: withVhostEncoded(url) }),
    };
  }
  return undefined;
}

const withVhostEncoded = (url: URL): string =>
  `${url.protocol}//${url.host}/${url.pathname.slice(1).replaceAll('/', '%2F')}`;

export function addressesOf({ url, username, password }: ConnectionOptions): readonly Address[] {
  const urls = typeof url === 'string' ? [url] : url;
  return urls.map((text) => {
    const { protocol, hostname, port, pathname, username: user, password: secret } = new URL(text);
    const tls = protocol === 'amqps:';
    const host = hostname.replace(/^\[|\]$/g, '');
    const number = port === '' ? ports[tls ? 'amqps:' : 'amqp:'] : Number(port);
    const vhost = pathname.slice(1) === '' ? '%2F' : pathname.slice(1);
    const named = decoded(vhost);
    return {
      tls,
      host,
      port: number,
      vhost,
      username: user === '' ? (username ?? 'guest') : decoded(user),
      password: secret === '' ? (password ?? 'guest') : decoded(secret),
      label: `${hostname}:${number}${named === '/' ? '' : `/${named}`}`,
    };
  });
}

export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
