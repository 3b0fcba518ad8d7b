import { optionalPackage } from '#sdk';
import type { Connected } from './connection.ts';
import type { DeclareOptions } from './connection-options.ts';
import type { NatsSourceOptions } from './definition.ts';
import { Refused } from './trouble.ts';

export type Manager = import('@nats-io/jetstream').JetStreamManager;
type ConsumerConfig = import('@nats-io/jetstream').ConsumerConfig;
type ConsumerInfo = import('@nats-io/jetstream').ConsumerInfo;

const nanos = (ms: number): number => ms * 1_000_000;

/** What makes and looks at streams and consumers. */
export async function managerOf({ connection }: Connected): Promise<Manager> {
  const { jetstreamManager } = await optionalPackage(
    'The connector `nats`',
    '@nats-io/jetstream@3',
    () => import('@nats-io/jetstream'),
  );
  return jetstreamManager(connection, { checkAPI: false, timeout: 5_000 });
}

/** Which API codes say that something is not there (they are part of the protocol). */
const absent = new Set([10014, 10059]);

async function unlessAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (thrown) {
    const code = (thrown as { readonly code?: unknown }).code;
    if (typeof code === 'number' && absent.has(code)) return undefined;
    throw thrown;
  }
}

/** Makes the stream where it is missing and the file says how; else it must be there. */
export async function ensureStream(
  manager: Manager,
  stream: string,
  declare: DeclareOptions | undefined,
): Promise<void> {
  if (await unlessAbsent(manager.streams.info(stream))) return;
  if (!declare) {
    throw new Refused(
      `there is no stream \`${stream}\`: make it, or let it be made with \`declare: { subjects: [ … ] }\``,
    );
  }
  const { subjects, storage, retention, replicas, maxAge, maxMessages, maxBytes, duplicateWindow } = declare;
  await manager.streams.add({
    name: stream,
    subjects: [...subjects],
    storage,
    retention,
    num_replicas: replicas,
    // The window may not be longer than messages are kept.
    duplicate_window: nanos(Math.min(duplicateWindow, maxAge ?? duplicateWindow)),
    ...(maxAge === undefined ? {} : { max_age: nanos(maxAge) }),
    ...(maxMessages === undefined ? {} : { max_msgs: maxMessages }),
    ...(maxBytes === undefined ? {} : { max_bytes: maxBytes }),
  });
}

/** The durable consumer as the file wants it; yields after how long without a sign its messages go to others,
 * and when it was made. */
export async function ensureConsumer(
  manager: Manager,
  { connection }: Connected,
  options: NatsSourceOptions & { readonly stream: string },
  name: string,
): Promise<{ readonly ackWait: number; readonly made: number }> {
  const { stream, create } = options;
  const { version = '' } = connection.info ?? {};
  if ((options.filter?.length ?? 0) > 1 && /^2\.[0-9]\./.test(version)) {
    throw new Refused(`\`filter\` has several subjects, which needs server 2.10; this one is ${version}`);
  }
  const found = await unlessAbsent(manager.consumers.info(stream, name));
  if (!found && !create)
    throw new Refused(`the stream \`${stream}\` has no consumer \`${name}\`, and \`create\` is false`);
  const info = found
    ? await followed(manager, found, options)
    : await manager.consumers.add(stream, configOf(options, name));
  usable(info);
  return { ackWait: (info.config.ack_wait ?? nanos(30_000)) / 1_000_000, made: Date.parse(String(info.created)) };
}

function configOf(options: NatsSourceOptions, name: string): Partial<ConsumerConfig> {
  return {
    durable_name: name,
    ack_policy: 'explicit',
    max_deliver: -1,
    ...startOf(options.start),
    ...changeable(options),
  };
}

function changeable({ ackWait, maxAckPending, filter }: NatsSourceOptions): Partial<ConsumerConfig> {
  const [first, ...others] = filter ?? [];
  return {
    ack_wait: nanos(ackWait),
    max_ack_pending: maxAckPending,
    ...(others.length > 0
      ? { filter_subjects: [...(filter ?? [])] }
      : first === undefined
        ? {}
        : { filter_subject: first }),
  };
}

function startOf(start: NatsSourceOptions['start']): Partial<ConsumerConfig> {
  if (typeof start === 'object') {
    if (start.sequence !== undefined) return { deliver_policy: 'by_start_sequence', opt_start_seq: start.sequence };
    return { deliver_policy: 'by_start_time', opt_start_time: new Date(start.time ?? 0).toISOString() };
  }
  const policies = { all: 'all', new: 'new', last: 'last', lastPerSubject: 'last_per_subject' } as const;
  const deliver_policy = policies[start];
  return { deliver_policy };
}

/** A consumer that is there follows the file in what may be changed of one. */
async function followed(
  manager: Manager,
  info: ConsumerInfo,
  options: NatsSourceOptions & { readonly stream: string },
): Promise<ConsumerInfo> {
  usable(info);
  const wanted = changeable(options);
  const { config } = info;
  const same =
    config.ack_wait === wanted.ack_wait &&
    config.max_ack_pending === wanted.max_ack_pending &&
    filtersOf(config) === filtersOf(wanted);
  if (!options.create || same) return info;
  const cleared = { filter_subject: undefined, filter_subjects: undefined };
  return manager.consumers.update(options.stream, info.name, { ...cleared, ...wanted } as Partial<ConsumerConfig>);
}

const filtersOf = ({ filter_subject, filter_subjects }: Partial<ConsumerConfig>): string =>
  [...(filter_subjects ?? (filter_subject === undefined || filter_subject === '' ? [] : [filter_subject]))]
    .sort()
    .join(' ');

/** Only of such a consumer nothing gets lost. */
function usable({ name, config }: ConsumerInfo): void {
  const wrong = (what: string, right: string): Refused =>
    new Refused(`the consumer \`${name}\` ${what}: ${right}, or name another \`consumer\``);
  if (config.deliver_subject) throw wrong('is one that the server pushes to a subject', 'make it a pull consumer');
  if (config.ack_policy !== 'explicit') {
    throw wrong(`has the acknowledgement policy \`${config.ack_policy}\``, 'it must be `explicit`');
  }
  if (config.max_deliver !== undefined && config.max_deliver > 0) {
    throw wrong(
      `gives up a message after ${config.max_deliver} deliveries, without a word`,
      'let `max_deliver` be -1: `redelivery` and `deadLetter` of the flow say what becomes of it',
    );
  }
}
