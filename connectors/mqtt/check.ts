import type { Slot } from '#sdk';
import type { CallOptions, EndpointOptions, SourceOptions } from './definition.ts';
import { filterProblem, nameProblem } from './topics.ts';

type Report = (at: string, message: string, suggestion?: string) => void;
type Connection = Partial<
  Pick<SourceOptions, 'url' | 'version' | 'username' | 'password' | 'tls' | 'keepalive' | 'clientId'>
>;

/** What only this connector can find wrong in its options, while validating. Options with other mistakes may be partial. */
export function check(options: unknown, report: Report, slot: Slot): void {
  if (slot === 'call') {
    checkCall(options as Partial<CallOptions>, report);
    return;
  }
  checkConnection(options as Connection, report);
  if (slot === 'source') checkSource(options as Partial<SourceOptions>, report);
  else checkEndpoint(options as Partial<EndpointOptions>, report);
}

function checkConnection(options: Connection, report: Report): void {
  const { url, username, password, tls, version, clientId, keepalive } = options;
  const written = writtenUrls(url);
  for (const [at, one] of written) checkUrl(at, one, username !== undefined, report);
  const named = username !== undefined || written.some(([, one]) => URL.canParse(one) && new URL(one).username !== '');
  if (password !== undefined && !named && version === '3.1.1') {
    report('password', 'MQTT 3.1.1 knows no password without a name: add `username`');
  }
  if (typeof version === 'number' && version !== 5) {
    report('version', `There is no MQTT ${version} here: write \`5\` or \`3.1.1\``, '3.1.1');
  }
  if (clientId !== undefined) checkClientId(clientId, report);
  if (keepalive !== undefined && keepalive % 1000 !== 0) {
    report('keepalive', 'The protocol counts whole seconds here', `${Math.ceil(keepalive / 1000)}s`);
  }
  if (!tls) return;
  if (written.length > 0 && written.every(([, one]) => one.startsWith('mqtt:'))) {
    report('tls', 'There is no TLS over `mqtt:`: write `mqtts:` in the URL, or drop `tls`');
  }
  if (tls.cert && !tls.key) report('tls', '`cert` needs its private key: add `key`');
  if (tls.key && !tls.cert) report('tls', '`key` needs the certificate it belongs to: add `cert`');
}

const writtenUrls = (url: Connection['url']): readonly (readonly [at: string, url: string])[] => {
  if (url === undefined) return [];
  return typeof url === 'string' ? [['url', url]] : url.map((one, at) => [`url/${at}`, one]);
};

/** What others call the two. */
const synonyms: Readonly<Record<string, string>> = {
  'tcp:': 'mqtt:',
  'ssl:': 'mqtts:',
  'tls:': 'mqtts:',
  'mqtt+ssl:': 'mqtts:',
};

function checkUrl(at: string, text: string, hasUsername: boolean, report: Report): void {
  if (!URL.canParse(text)) return;
  const url = new URL(text);
  const { protocol } = url;
  if (protocol !== 'mqtt:' && protocol !== 'mqtts:') {
    const meant = synonyms[protocol];
    const suggestion = meant === undefined || url.password !== '' ? undefined : text.replace(protocol, meant);
    const message = /^wss?:$/.test(protocol)
      ? 'MQTT over WebSocket is not spoken here: take the port where the broker speaks MQTT itself, with `mqtt:` or `mqtts:` (TLS)'
      : `\`${protocol}\` is not a protocol of this connector: write \`mqtt:\` or \`mqtts:\` (TLS)`;
    report(at, message, suggestion);
    return;
  }
  if (url.hostname === '') {
    report(at, 'The URL names no host; for example `mqtt://localhost:1883`');
    return;
  }
  if (hasUsername && url.username !== '') report('username', 'The URL names a user already: give one of the two');
  if (url.pathname.length > 1 || url.search !== '' || url.hash !== '') {
    report(at, 'The URL of a broker ends with its host and port: topics stand in `topics` or `topic`');
  }
}

function checkClientId(clientId: string, report: Report): void {
  if (clientId === '') report('clientId', 'The client id is empty');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  else if (/[\u0000-\u001f\u007f]/.test(clientId)) report('clientId', 'The client id has a control character');
  else if (Buffer.byteLength(clientId) > 65_535) report('clientId', 'The client id is longer than 65535 bytes');
}

function checkSource(options: Partial<SourceOptions>, report: Report): void {
  const { topics = [], qos = 1, clientId, share, sessionExpiry, version } = options;
  for (const [at, filter] of topics.entries()) {
    const problem = filterProblem(filter);
    if (problem) report(`topics/${at}`, problem.message, problem.suggestion);
    else if (topics.indexOf(filter) < at) report(`topics/${at}`, `The topic filter \`${filter}\` stands there twice`);
  }
  if (qos > 0 && clientId === undefined) {
    report(
      '',
      '`clientId` is missing: under QoS 1 the broker keeps messages for a client that has a name, the same after each start. For example `clientId: telemetry-1`; each replica needs one of its own (and `share`). Or write `qos: 0`: what is sent while we are away is lost',
    );
  }
  if (qos > 0 && sessionExpiry === 0 && version !== '3.1.1') {
    report(
      'sessionExpiry',
      'The session would end with each connection, and the messages in it be lost: write for example `1d`, or `qos: 0`',
      '1d',
    );
  }
  if (share !== undefined && (share === '' || /[/+#\0]/.test(share))) {
    report('share', `\`${share}\` cannot name a group: it is text without \`/\`, \`+\` and \`#\``);
  }
}

function checkEndpoint({ replyTopic, version }: Partial<EndpointOptions>, report: Report): void {
  if (replyTopic === undefined) return;
  const problem = nameProblem(replyTopic);
  if (problem !== undefined) report('replyTopic', `The topic \`${replyTopic}\` ${problem}`);
  else if (version === '3.1.1')
    report('replyTopic', 'MQTT 3.1.1 knows no answers: drop `replyTopic`, or write `version: 5`');
}

function checkCall(options: Partial<CallOptions>, report: Report): void {
  for (const key of ['topic', 'responseTopic'] as const) {
    const template = options[key]?.value;
    if (typeof template !== 'string') continue;
    const problem = nameProblem(template.replaceAll(/\$\{\{.*?\}\}/gs, 'x'));
    if (problem !== undefined) report(key, `The topic \`${template}\` ${problem}`);
  }
}

/** A session belongs to one client: a second source with its name would throw the first one out, again and again. */
export function claims(options: unknown): readonly string[] {
  const { url, clientId } = options as Partial<SourceOptions>;
  const [first] = writtenUrls(url).map(([, one]) => one);
  if (clientId === undefined || first === undefined || !URL.canParse(first)) return [];
  return [`the client id \`${clientId}\` at \`${new URL(first).host}\``];
}
