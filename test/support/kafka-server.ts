/**
 * Kafka for tests, in this order: the cluster that `KAFKA_BROKERS` names; a real broker of the test's own, where Java and
 * Maven are (one node, KRaft); the mock cluster inside of librdkafka, which `kcat` starts, as far as that goes.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { borrowed } from './borrowed.ts';
import { Child } from './child-process.ts';
import { programOf, started } from './debian-server.ts';
import { freePorts } from './free-port.ts';
import { javaProgram, kafkaJars, kafkaVersion } from './kafka-jars.ts';
import { listens } from './listens.ts';

export const kcatProgram = programOf('kcat');

/** Where to get a real broker, for tests that are skipped without one. */
export const howToGetKafka =
  'needs a real broker: name one in KAFKA_BROKERS, or install a JDK (17) and Maven, which fetches Kafka once';

export interface KafkaServer extends AsyncDisposable {
  /** `host:port`, with commas between. */
  readonly brokers: string;
  /** What it is, for the reader of the tests. */
  readonly is: string;
}

const clusterId = 'ZG93ZWwtdGVzdHMtMDAwMA';

/** As Kafka writes them. */
const uuid = (): string => randomBytes(16).toString('base64url');

/** Settings of the broker, as its `server.properties` has them. */
export type KafkaSettings = Readonly<Record<string, string>>;

export interface KafkaOptions {
  readonly settings?: KafkaSettings;
  /** More listeners, as `NAME://127.0.0.1:port`, and what clients are told instead of them. */
  readonly listeners?: readonly { readonly at: string; readonly told?: string }[];
  /** More arguments for the tool that prepares its disk. */
  readonly format?: readonly string[];
  /** One of several nodes: which of these. */
  readonly node?: { readonly id: number; readonly of: readonly NodePorts[] };
}

interface NodePorts {
  readonly port: number;
  readonly controller: number;
}

/** A broker in a process of its own: its data lives until it is disposed of, its process can be killed and started again. */
export class RealKafka implements KafkaServer {
  readonly is = `Kafka ${kafkaVersion}`;
  readonly port: number;
  readonly #jars: string;
  readonly #folder: string;
  #process: Child | undefined;

  private constructor(jars: string, folder: string, port: number) {
    this.#jars = jars;
    this.#folder = folder;
    this.port = port;
  }

  /** `undefined` when there is none to be had, see `kafkaJars`. */
  static async start({
    settings = {},
    listeners = [],
    format = [],
    node,
  }: KafkaOptions = {}): Promise<RealKafka | undefined> {
    const jars = await kafkaJars();
    if ('missing' in jars) return undefined;
    const { id, of } = node ?? { id: 1, of: await nodePorts(1) };
    const { port, controller } = of[id - 1] ?? { port: 0, controller: 0 };
    const folder = mkdtempSync(join(tmpdir(), 'dowel-kafka-'));
    const broker = new RealKafka(jars.folder, folder, port);
    const all: KafkaSettings = {
      ...propertiesOf(id, of, join(folder, 'data')),
      ...listenersOf(port, controller, listeners),
      ...settings,
    };
    const text = Object.entries(all).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(broker.#properties, text.join(''));
    await broker.#format(id, format);
    return started(broker);
  }

  /** Prepares its disk. What the tool writes is the same for every node but for two names: it runs once on a machine. */
  async #format(id: number, more: readonly string[]): Promise<void> {
    const data = join(this.#folder, 'data');
    const kept = `${this.#jars}.checkpoint`;
    if (more.length === 0 && existsSync(kept)) {
      mkdirSync(data);
      copyFileSync(kept, join(data, 'bootstrap.checkpoint'));
      const names = { version: 1, 'cluster.id': clusterId, 'node.id': id, 'directory.id': uuid() };
      const lines = Object.entries(names).map(([name, value]) => `${name}=${value}\n`);
      writeFileSync(join(data, 'meta.properties'), lines.join(''));
      return;
    }
    const format = ['format', '-t', clusterId, '-c', this.#properties, ...more];
    const args = [...this.#java('kafka.tools.StorageTool'), ...format];
    await promisify(execFile)(javaProgram ?? '', args, { timeout: 60_000 });
    if (more.length > 0) return;
    // Others may do the same at this moment: it is there whole, or not at all.
    const copy = `${kept}-${process.pid}`;
    copyFileSync(join(data, 'bootstrap.checkpoint'), copy);
    renameSync(copy, kept);
  }

  get brokers(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Nodes that replicate to each other; `brokers` of each leads to all of them. */
  static async cluster(count: number): Promise<readonly RealKafka[]> {
    const of = await nodePorts(count);
    const started = of.map((_, index) => RealKafka.start({ node: { id: index + 1, of } }));
    return (await Promise.all(started)).filter((node) => node !== undefined);
  }

  async start(): Promise<void> {
    const child = new Child(javaProgram ?? '', [...this.#java('kafka.Kafka'), this.#properties]);
    this.#process = child;
    await child.until('Kafka listens', () => listens(this.port), 60_000);
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    await this.#process?.stop('SIGKILL');
  }

  /** Stands still, as a machine does that is out of breath; its connections stay. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It has nothing to save.
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #properties(): string {
    return join(this.#folder, 'server.properties');
  }

  // A start of a few seconds matters more than speed later on.
  #java(main: string): readonly string[] {
    return ['-Xmx384m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', `${this.#jars}/*`, main];
  }
}

const listenersOf = (port: number, controller: number, more: KafkaOptions['listeners'] = []): KafkaSettings => {
  const plain = `PLAINTEXT://127.0.0.1:${port}`;
  const told = [plain, ...more.map((one) => one.told ?? one.at)].join(',');
  return {
    listeners: [plain, `CONTROLLER://127.0.0.1:${controller}`, ...more.map(({ at }) => at)].join(','),
    'advertised.listeners': told,
    'listener.security.protocol.map':
      'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT,SSL:SSL,SASL:SASL_PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
  };
};

const nodePorts = async (count: number): Promise<readonly NodePorts[]> => {
  const ports = await freePorts(count * 2);
  return Array.from({ length: count }, (_, index) => ({
    port: ports[index * 2] ?? 0,
    controller: ports[index * 2 + 1] ?? 0,
  }));
};

const propertiesOf = (id: number, of: readonly NodePorts[], data: string): KafkaSettings => ({
  'process.roles': 'broker,controller',
  'node.id': `${id}`,
  'controller.quorum.voters': of.map(({ controller }, index) => `${index + 1}@127.0.0.1:${controller}`).join(','),
  'log.dirs': data,
  'num.partitions': '4',
  'auto.create.topics.enable': 'false',
  'offsets.topic.num.partitions': '1',
  'default.replication.factor': `${of.length}`,
  'min.insync.replicas': `${Math.min(2, of.length)}`,
  'offsets.topic.replication.factor': `${of.length}`,
  'transaction.state.log.num.partitions': '1',
  'transaction.state.log.replication.factor': `${of.length}`,
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
  // One that was killed may come back at once.
  'broker.session.timeout.ms': '1000',
  'broker.heartbeat.interval.ms': '200',
  // So that tests need not wait long until a process that was killed is given up.
  'group.min.session.timeout.ms': '500',
});

/** Every topic is there as soon as somebody asks for it, with four partitions; nothing is on disk. */
export class MockKafka implements KafkaServer {
  readonly is = 'the mock cluster of librdkafka';
  readonly brokers: string;
  readonly #process: Child;

  private constructor(process: Child, brokers: string) {
    this.#process = process;
    this.brokers = brokers;
  }

  static async start(brokers = 1): Promise<MockKafka> {
    // The reader only keeps the program busy: the cluster lives inside of it.
    const reading = ['-C', '-b', '127.0.0.1:1', '-t', 'nothing', '-o', 'end', '-d', 'mock'];
    const child = new Child(kcatProgram ?? '', [...reading, '-X', `test.mock.num.brokers=${brokers}`]);
    const said = (): string | undefined => /bootstrap\.servers=([\d.:,]+)/.exec(child.stderr)?.[1];
    await child.until('the mock cluster listens', () => said() !== undefined);
    return new MockKafka(child, said() ?? '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop('SIGKILL');
  }
}

/** A cluster that is there already. */
class GivenKafka implements KafkaServer {
  readonly is: string;
  readonly brokers: string;

  constructor(brokers: string, is: string) {
    this.brokers = brokers;
    this.is = is;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** A real broker, for those who do nothing to the broker itself: others may use it at the same time. */
export async function sharedKafka(): Promise<KafkaServer | undefined> {
  const lent = await borrowed<{ readonly brokers: string }>('kafka');
  return lent ? new GivenKafka(lent.brokers, `Kafka ${kafkaVersion}, which all tests share`) : RealKafka.start();
}

/** What there is, shared as well. */
export async function startKafka(): Promise<KafkaServer> {
  const given = process.env['KAFKA_BROKERS'];
  if (given !== undefined && given !== '') {
    return new GivenKafka(given, `the brokers that KAFKA_BROKERS names (${given})`);
  }
  return (await sharedKafka()) ?? MockKafka.start();
}
