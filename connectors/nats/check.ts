import type { Slot } from '#sdk';
import type { ConnectionOptions } from './connection-options.ts';
import type { NatsEndpointOptions, NatsSourceOptions } from './definition.ts';
import { filterProblem, subjectProblem } from './subjects.ts';

/** A template as it stands in the file. */
interface Written {
  readonly value: unknown;
}

type Report = (at: string, message: string, suggestion?: string) => void;

/** What only this connector can find wrong in its options, while validating. Options with other mistakes may be partial. */
export function check(options: unknown, report: Report, slot: Slot): void {
  if (slot === 'call') checkCall(options as { readonly subject?: Written }, report);
  else {
    checkConnection(options as Partial<ConnectionOptions>, report);
    if (slot === 'source') checkSource(options as Partial<NatsSourceOptions>, report);
    else checkEndpoint(options as Partial<NatsEndpointOptions>, report);
  }
}

function checkConnection(options: Partial<ConnectionOptions>, report: Report): void {
  const { url, urls, tls } = options;
  if (url !== undefined && urls) report('urls', 'there is `url` or `urls`, not both: put all of them into `urls`');
  else if (url === undefined && !urls) {
    report('', '`url` is missing; for example `url: nats://localhost:4222`, or `urls` for several servers');
  }
  const written = [
    ...(url === undefined ? [] : [{ at: 'url', text: url }]),
    ...(urls ?? []).map((text, index) => ({ at: `urls/${index}`, text })),
  ];
  for (const { at, text } of written) if (URL.canParse(text)) checkUrl(at, new URL(text), options, report);
  if (tls?.cert && !tls.key) report('tls', '`cert` needs its private key: add `key`');
  if (tls?.key && !tls.cert) report('tls', '`key` needs the certificate it belongs to: add `cert`');
  const ways = (['username', 'token', 'nkey', 'credentials'] as const).filter((way) => options[way] !== undefined);
  const [first, second] = ways;
  if (second) report(second, `the server knows us by \`${first}\` or by \`${second}\`: drop one of them`);
  if (options.password !== undefined && options.username === undefined) {
    report('password', '`password` needs the user it belongs to: add `username`');
  }
}

function checkUrl(at: string, url: URL, options: Partial<ConnectionOptions>, report: Report): void {
  if (url.protocol !== 'nats:' && url.protocol !== 'tls:') {
    const hint = url.protocol === 'ws:' || url.protocol === 'wss:' ? ' (WebSocket is not supported)' : '';
    report(at, `\`${url.protocol}\` is not a protocol of this connector${hint}: write \`nats:\`, or \`tls:\` for TLS`);
  }
  if (url.hostname === '') report(at, 'the URL names no host: write `nats://host:4222`');
  if (url.search !== '' || url.hash !== '' || url.pathname.length > 1) {
    report(at, 'the URL of a server ends with its port: options stand beside it');
  }
  const ways = (['username', 'token', 'nkey', 'credentials'] as const).find((way) => options[way] !== undefined);
  if (url.username !== '' && ways) report(ways, `the URL names a user already: drop it there, or drop \`${ways}\``);
}

const onlyStreams = ['consumer', 'filter', 'prefetch', 'declare'] as const;

function checkSource(options: Partial<NatsSourceOptions>, report: Report): void {
  const { stream, subjects, filter, queue, prefetch, maxAckPending, create, declare, start } = options;
  if (stream === undefined && !subjects) {
    report(
      '',
      'name what to read: `stream: ORDERS`, or `subjects: [orders.>]` for core NATS, which delivers at most once',
    );
  }
  if (stream !== undefined && subjects) {
    report(
      'subjects',
      '`subjects` is for core NATS, and there is a `stream`: to take only some of its messages write `filter`',
    );
  }
  if (subjects && stream === undefined) {
    const given = onlyStreams.find((name) => options[name] !== undefined);
    if (given) report(given, `\`${given}\` belongs to a \`stream\`: subjects of core NATS keep nothing`);
  }
  if (queue !== undefined && !subjects) {
    report('queue', '`queue` is for `subjects`: processes share a stream by naming the same `consumer`');
  }
  if (options.reply === true && !subjects) {
    report('reply', '`reply` is for `subjects`: whoever puts a message into a stream waits for no answer');
  }
  checkSubjects('subjects', subjects, report);
  checkSubjects('filter', filter, report);
  checkSubjects('declare/subjects', declare?.subjects, report);
  if (prefetch !== undefined && maxAckPending !== undefined && prefetch > maxAckPending) {
    report(
      'prefetch',
      `at most \`maxAckPending\` (${maxAckPending}) messages are handed out: \`prefetch\` cannot be more`,
    );
  }
  if (create === false && options.consumer === undefined) {
    report('create', 'with `create: false` name the `consumer` that is there');
  }
  const time = typeof start === 'object' ? start.time : undefined;
  if (time !== undefined && Number.isNaN(Date.parse(time))) {
    report('start/time', `\`${time}\` is no time: write it as in \`2026-11-21T08:00:00Z\``);
  }
}

function checkEndpoint(options: Partial<NatsEndpointOptions>, report: Report): void {
  const { subject, jetstream, stream, declare } = options;
  if (subject !== undefined) {
    const problem = subjectProblem(subject);
    if (problem !== undefined) report('subject', `the subject \`${subject}\` ${problem}`);
  }
  if (jetstream === false && stream !== undefined) {
    report('stream', 'with `jetstream: false` nobody says which stream stored a message: drop one of the two');
  }
  if (declare && stream === undefined) report('declare', '`declare` needs the name: add `stream`');
  if (declare && jetstream === false)
    report('declare', 'with `jetstream: false` no stream is needed: drop one of the two');
  checkSubjects('declare/subjects', declare?.subjects, report);
}

function checkSubjects(at: string, subjects: readonly string[] | undefined, report: Report): void {
  for (const [index, one] of (subjects ?? []).entries()) {
    const problem = filterProblem(one);
    if (problem !== undefined) report(`${at}/${index}`, `the subject \`${one}\` ${problem}`);
  }
}

function checkCall({ subject }: { readonly subject?: Written }, report: Report): void {
  const written = subject?.value;
  if (typeof written !== 'string') return;
  const problem = subjectProblem(written.replaceAll(/\$\{\{.*?\}\}/gs, 'x'));
  if (problem !== undefined) report('subject', `the subject \`${written}\` ${problem}`);
}
