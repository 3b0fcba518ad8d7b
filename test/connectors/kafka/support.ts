import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { Endpoint, Source } from '#sdk';
import type { EndpointOptions, SourceOptions } from '../../../connectors/kafka/definition.ts';
import { openEndpoint } from '../../../connectors/kafka/endpoint.ts';
import { openSource } from '../../../connectors/kafka/source.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { finished } from '../../support/child-process.ts';
import { eventually } from '../../support/eventually.ts';
import { kcatProgram } from '../../support/kafka-server.ts';
import { ManualFlow, type PlainContext, type PlainOptions, plainContext } from '../../support/plain-context.ts';

/** A name that no other test has. */
export const fresh = (prefix = 't'): string => `${prefix}-${randomUUID().slice(0, 8)}`;

/** With the defaults of the schema, except for times that tests would wait for. */
export const sourceOptions = (
  options: Pick<SourceOptions, 'brokers' | 'topics' | 'group'> & Partial<SourceOptions>,
): SourceOptions => ({
  from: 'earliest',
  maxBytes: 10_000_000,
  session: 6_000,
  heartbeat: 300,
  commitEvery: 200,
  ...options,
});

export const endpointOptions = (
  options: Pick<EndpointOptions, 'brokers'> & Partial<EndpointOptions>,
): EndpointOptions => ({ compression: 'none', linger: 0, ...options });

export interface OpenedSource {
  readonly source: Source;
  readonly flow: ManualFlow;
  readonly context: PlainContext;
  readonly texts: () => readonly string[];
  /** Waits until so many records were handed over. */
  reached(count: number): Promise<void>;
  /** Ends it as the runtime does when nothing is under way. */
  end(): Promise<void>;
}

/** A source whose records are settled by hand. */
export async function openedSource(
  t: TestContext,
  options: Parameters<typeof sourceOptions>[0],
  more: PlainOptions & { readonly done?: boolean } = {},
): Promise<OpenedSource> {
  const flow = new ManualFlow();
  const { done, ...rest } = more;
  const context = plainContext({ clock: systemClock, deliver: done ? flow.record : flow.deliver, ...rest });
  const source = await openSource(sourceOptions(options), context);
  const end = async (): Promise<void> => {
    await source.stop();
    if (!done) for (const one of flow.deliveries) one.reject(new Error('the test ends'));
    await source.close();
  };
  t.after(end);
  return {
    source,
    flow,
    context,
    end,
    texts: () => flow.deliveries.map((one) => textOf(one.message.body, context)),
    reached: (count) => eventually(`${count} records`, () => flow.deliveries.length >= count, 20_000),
  };
}

const textOf = (body: { bytes: PlainBytes }, { services }: PlainContext): string =>
  Buffer.from(body.bytes(services.codec) as string).toString();
type PlainBytes = (codec: PlainContext['services']['codec']) => Uint8Array | string | Promise<Uint8Array | string>;

export async function openedEndpoint(
  t: TestContext,
  options: Parameters<typeof endpointOptions>[0],
  more: PlainOptions = {},
): Promise<{ readonly endpoint: Endpoint; readonly context: PlainContext }> {
  const context = plainContext({ clock: systemClock, name: 'events', ...more });
  const endpoint = await openEndpoint(endpointOptions(options), context);
  t.after(() => endpoint.close());
  return { endpoint, context };
}

/** Makes a topic. The mock cluster needs no telling: there every topic has four partitions. */
export async function createTopic(
  brokers: string,
  topic: string,
  partitions: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { Admin } = await import('@platformatic/kafka');
  const admin = new Admin({ clientId: 'tests', bootstrapBrokers: brokers.split(','), retries: 20, retryDelay: 100 });
  const configs = Object.entries(settings).map(([name, value]) => ({ name, value }));
  await admin.createTopics({ topics: [topic], partitions, replicas: -1, configs });
  await admin.close();
}

/** Runs `kcat`, a client that shares nothing with ours: what it writes and reads is the outside view. */
export async function kcat(brokers: string, args: readonly string[], input?: string): Promise<string> {
  const done = await finished(kcatProgram ?? '', ['-q', '-b', brokers, ...args], {
    ...(input === undefined ? {} : { input }),
    within: 30_000,
  });
  assert.equal(done.code, 0, done.stderr);
  return done.stdout;
}

/** Writes lines as records, in this order; resolves when the cluster has them. */
export const publish = (
  brokers: string,
  topic: string,
  lines: readonly string[],
  more: readonly string[] = ['-p', '0'],
): Promise<string> => kcat(brokers, ['-P', '-t', topic, ...more], lines.map((line) => `${line}\n`).join(''));

/** Every record of a topic, each as `format` says (`%s` value, `%k` key, `%p` partition, `%o` offset, `%h` headers). */
export async function recordsOf(brokers: string, topic: string, format = '%s'): Promise<readonly string[]> {
  const text = await kcat(brokers, ['-C', '-t', topic, '-o', 'beginning', '-e', '-f', `${format}\\n`]);
  return text.split('\n').slice(0, -1);
}

/** How far a group has come in a partition, as the cluster knows it; `undefined`: nothing is committed. */
export async function committed(brokers: string, group: string, topic: string): Promise<ReadonlyMap<number, number>> {
  const { Consumer } = await import('@platformatic/kafka');
  const reader = new Consumer({ clientId: 'tests', groupId: group, bootstrapBrokers: brokers.split(','), retries: 5 });
  try {
    const metadata = await reader.metadata({ topics: [topic] });
    const count = metadata.topics.get(topic)?.partitionsCount ?? 0;
    const partitions = Array.from({ length: count }, (_, index) => index);
    const offsets = await reader.listCommittedOffsets({ topics: [{ topic, partitions }] });
    const known = (offsets.get(topic) ?? []).map((offset, index) => [index, Number(offset)] as const);
    return new Map(known.filter(([, offset]) => offset >= 0));
  } finally {
    await reader.close();
  }
}
