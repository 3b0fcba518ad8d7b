import type { ConnectorSource, FlowSource } from '../core/written.ts';
import type { Deployable } from './deployable.ts';
import { type Manifest, metadata } from './manifest.ts';
import { nameAt, namesIn, writtenAt } from './written.ts';

export interface Trigger {
  readonly type: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly authenticationRef?: { readonly name: string };
}

export interface Triggers {
  readonly triggers: readonly Trigger[];
  /** What they sign in by. */
  readonly manifests: readonly Manifest[];
  readonly notes: readonly string[];
}

type Found =
  | { readonly trigger: Trigger; readonly auth?: Manifest; readonly note?: string }
  | { readonly note: string };

interface Reading {
  readonly one: Deployable;
  readonly flow: FlowSource;
  readonly from: ConnectorSource;
  readonly options: Readonly<Record<string, unknown>>;
  /** How many messages that wait are enough for one more replica. */
  readonly wanted: string;
}

const kinds: Readonly<Record<string, (reading: Reading) => Found | undefined>> = { amqp, kafka, redis, nats };

export function triggersOf(one: Deployable): Triggers {
  const found = Object.values(one.source.flows).flatMap((flow) => {
    const { from } = flow;
    const options = (from?.options ?? {}) as Readonly<Record<string, unknown>>;
    const wanted = String(Math.max(20, flow.concurrency ?? 1));
    const made = from && kinds[from.name]?.({ one, flow, from, options, wanted });
    if (!made || !('trigger' in made)) return made ? [made] : [];
    const unset = namesIn(one.root, from.pointer).filter(
      (name) => name in one.source.config && one.source.config[name] === undefined,
    );
    const unknown = unset.length > 0 || Object.values(made.trigger.metadata).includes('');
    return [unknown ? { note: notYet(flow, unset) } : made];
  });
  return {
    triggers: found.flatMap((one) => ('trigger' in one ? [one.trigger] : [])),
    manifests: found.flatMap((one) => ('auth' in one && one.auth ? [one.auth] : [])),
    notes: found.flatMap((one) => (one.note === undefined ? [] : [one.note])),
  };
}

const notYet = (flow: FlowSource, unset: readonly string[]): string =>
  unset.length > 0
    ? `no scaling by what waits for the flow ${flow.name} while ${unset.join(', ')} has no value`
    : `no scaling by what waits for the flow ${flow.name}: what it reads is named by a secret`;

/** A parameter: by the variable of the container that holds it, or as it stands; `undefined` where neither can be. */
function parameter(
  key: string,
  pointer: string,
  { one: { root } }: Reading,
): Readonly<Record<string, string>> | undefined {
  const name = nameAt(root, pointer);
  if (name !== undefined) return { [`${key}FromEnv`]: name };
  const text = writtenAt(root, pointer);
  return text === undefined || text.includes('${') ? undefined : { [key]: text };
}

/** The same for what may be left out. */
const optional = (key: string, pointer: string, reading: Reading): Readonly<Record<string, string>> =>
  parameter(key, pointer, reading) ?? {};

const notWhole = ({ flow, from }: Reading, key: string): Found => ({
  note: `no scaling by what waits for the flow ${flow.name}: KEDA needs \`${key}\` of ${from.name} as one value of \`config\`, as in \`${key}: "\${${from.name.toUpperCase()}_${key.toUpperCase()}}"\``,
});

function amqp(reading: Reading): Found {
  const { from, options, wanted } = reading;
  const host = parameter(
    'host',
    Array.isArray(options['url']) ? `${from.pointer}/url/0` : `${from.pointer}/url`,
    reading,
  );
  if (!host) return notWhole(reading, 'url');
  return {
    trigger: {
      type: 'rabbitmq',
      metadata: {
        ...host,
        ...optional('username', `${from.pointer}/username`, reading),
        ...optional('password', `${from.pointer}/password`, reading),
        protocol: 'amqp',
        queueName: String(options['queue']),
        mode: 'QueueLength',
        value: wanted,
      },
    },
  };
}

function kafka(reading: Reading): Found {
  const { from, options, wanted, flow, one } = reading;
  const { brokers } = options;
  const listed = Array.isArray(brokers) ? { bootstrapServers: brokers.join(',') } : undefined;
  const servers = listed ?? parameter('bootstrapServers', `${from.pointer}/brokers`, reading);
  if (!servers) return notWhole(reading, 'brokers');
  const [topic, ...others] = options['topics'] as readonly string[];
  const name = `${one.naming.name}-${flow.name}`
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .slice(0, 63)
    .replace(/-+$/, '');
  const signIn = kafkaSignIn(reading);
  return {
    trigger: {
      type: 'kafka',
      metadata: {
        ...servers,
        consumerGroup: String(options['group']),
        // Without a topic all those that the group reads count.
        ...(topic !== undefined && others.length === 0 ? { topic } : {}),
        lagThreshold: wanted,
        offsetResetPolicy: String(options['from']),
        ...(options['tls'] === undefined ? {} : { tls: 'enable' }),
        ...(signIn ? { sasl: signIn.sasl } : {}),
      },
      ...(signIn ? { authenticationRef: { name } } : {}),
    },
    ...(signIn
      ? {
          auth: {
            apiVersion: 'keda.sh/v1alpha1',
            kind: 'TriggerAuthentication',
            metadata: { ...metadata(one.naming), name },
            spec: { env: signIn.env },
          },
        }
      : {}),
  };
}

function kafkaSignIn({ from, options, one: { root } }: Reading) {
  const auth = options['auth'] as Readonly<Record<string, { readonly hash?: string }>> | undefined;
  const [kind] = Object.keys(auth ?? {});
  if (!kind) return undefined;
  const env = ['username', 'password'].flatMap((parameter) => {
    const name = nameAt(root, `${from.pointer}/auth/${kind}/${parameter}`);
    return name === undefined ? [] : [{ parameter, name, containerName: 'integration' }];
  });
  const sasl = kind === 'plain' ? 'plaintext' : `scram_${(auth?.[kind]?.hash ?? 'sha-512').replace('-', '')}`;
  return { sasl, env };
}

function redis(reading: Reading): Found | undefined {
  const { from, options, wanted, one, flow } = reading;
  if (options['stream'] === undefined) return undefined;
  const url = openUrl(reading, 'url');
  if (!url) return notOpen(reading, 'url');
  const database = url.pathname.slice(1);
  return {
    trigger: {
      type: 'redis-streams',
      metadata: {
        address: `${url.hostname}:${url.port || '6379'}`,
        ...optional('username', `${from.pointer}/username`, reading),
        ...optional('password', `${from.pointer}/password`, reading),
        ...(url.protocol === 'rediss:' ? { enableTLS: 'true' } : {}),
        ...(database === '' ? {} : { databaseIndex: database }),
        stream: String(options['stream']),
        consumerGroup: String(options['group'] ?? `${one.source.name}-${flow.name}`),
        lagCount: wanted,
        activationLagCount: '0',
      },
    },
    note: `scaling by the lag of the flow ${flow.name} needs Redis 7 or later`,
  };
}

function nats(reading: Reading): Found | undefined {
  const { options, wanted, one, flow } = reading;
  if (options['stream'] === undefined) return undefined;
  const key = Array.isArray(options['urls']) ? 'urls/0' : 'url';
  const url = openUrl(reading, key);
  if (!url) return notOpen(reading, key);
  const consumer = options['consumer'] ?? `${one.source.name}-${flow.name}`.replaceAll(/[^\w-]/g, '-');
  return {
    trigger: {
      type: 'nats-jetstream',
      metadata: {
        natsServerMonitoringEndpoint: `${url.hostname}:8222`,
        account: '$G',
        stream: String(options['stream']),
        consumer: String(consumer),
        lagThreshold: wanted,
      },
    },
    note: `scaling by the lag of the flow ${flow.name} asks the monitoring port of NATS (${url.hostname}:8222), and counts in the account \`$G\`: change that where you have another one`,
  };
}

/** A URL that is no secret and known now. */
function openUrl({ from, options, one: { source, root } }: Reading, key: string): URL | undefined {
  const names = namesIn(root, `${from.pointer}/${key}`);
  const [first] = [options[key.split('/')[0] ?? '']].flat();
  const isSecret = names.some((name) => source.secretNames.includes(name));
  return isSecret || typeof first !== 'string' || !URL.canParse(first) ? undefined : new URL(first);
}

const notOpen = ({ flow, from }: Reading, key: string): Found => ({
  note: `no scaling by what waits for the flow ${flow.name}: the \`${key}\` of ${from.name} is secret, or has no value yet. Give it as a value of \`config\` without \`secret\`, and the password as one of its own`,
});
