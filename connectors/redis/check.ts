import type { Slot } from '#sdk';
import type { ConnectionOptions } from './connection-options.ts';
import type { RedisEndpointOptions, RedisSourceOptions } from './definition.ts';

type Report = (at: string, message: string, suggestion?: string) => void;

/** What only this connector can find wrong in its options, while validating. Options with other mistakes may be partial. */
export function check(options: unknown, report: Report, slot: Slot): void {
  if (slot === 'call') {
    checkCall(options as Readonly<Record<string, unknown>>, report);
    return;
  }
  checkConnection(options as Partial<ConnectionOptions>, report);
  if (slot === 'source') checkSource(options as Partial<RedisSourceOptions>, report);
  else checkEndpoint(options as Partial<RedisEndpointOptions>, report);
}

function checkConnection({ url: text, username, password, tls }: Partial<ConnectionOptions>, report: Report): void {
  if (tls?.cert && !tls.key) report('tls', '`cert` needs its private key: add `key`');
  if (tls?.key && !tls.cert) report('tls', '`key` needs the certificate it belongs to: add `cert`');
  if (text === undefined || !URL.canParse(text)) return;
  const url = new URL(text);
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    report('url', `\`${url.protocol}\` is not a protocol of this connector: write \`redis:\`, or \`rediss:\` for TLS`);
  } else if (tls && url.protocol === 'redis:') {
    report('tls', 'there is no TLS over `redis:`: write `rediss:` in `url`, or drop `tls`');
  }
  if (url.hostname === '') report('url', 'the URL names no host: write `redis://host:6379`');
  if (!/^\/?\d*$/.test(url.pathname))
    report('url', 'the path of the URL is the number of the database, as in `redis://host:6379/1`');
  if (url.search !== '' || url.hash !== '') report('url', 'the URL ends with the database: options stand beside it');
  if (url.password !== '' && password !== undefined)
    report('password', 'the URL has a password already: drop one of the two');
  if (url.username !== '' && username !== undefined)
    report('username', 'the URL names a user already: drop one of the two');
  if (username !== undefined && password === undefined && url.password === '') {
    report('username', 'a user needs a `password`');
  }
}

const ofStreams = ['group', 'consumer', 'prefetch'] as const;

function checkSource(options: Partial<RedisSourceOptions>, report: Report): void {
  const { stream, channels, patterns } = options;
  const listens = channels !== undefined || patterns !== undefined;
  if (stream === undefined && !listens) {
    report('', 'name what to read: `stream: orders`, or `channels: [alarms]`, which deliver at most once');
  }
  if (stream !== undefined && listens) {
    report(
      channels ? 'channels' : 'patterns',
      'a source reads a `stream` or listens to channels: make two flows of it',
    );
  }
  const given = stream === undefined && listens ? ofStreams.find((name) => options[name] !== undefined) : undefined;
  if (given) report(given, `\`${given}\` belongs to a \`stream\`: channels keep nothing`);
}

function checkEndpoint({ stream, channel, maxLength }: Partial<RedisEndpointOptions>, report: Report): void {
  if (stream !== undefined && channel !== undefined)
    report('channel', 'messages go to a `stream` or to a `channel`: drop one of the two');
  if (maxLength !== undefined && channel !== undefined && stream === undefined) {
    report('maxLength', '`maxLength` is for streams: channels keep nothing');
  }
}

function checkCall({ stream, channel, minReceivers }: Readonly<Record<string, unknown>>, report: Report): void {
  if (stream !== undefined && channel !== undefined)
    report('channel', 'a message goes to a `stream` or to a `channel`: drop one of the two');
  if (stream !== undefined && typeof minReceivers === 'number' && minReceivers > 0) {
    report('minReceivers', '`minReceivers` is for a `channel`: a stream keeps its entries until they are read');
  }
}
