import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { borrowed } from './borrowed.ts';
import { Child, finished } from './child-process.ts';
import { programOf, started } from './debian-server.ts';
import { freePorts } from './free-port.ts';

/** Not the wrapper in PATH: that one changes to the user `rabbitmq`, and its process would not be ours to kill. */
const scripts = '/usr/lib/rabbitmq/bin';

export const rabbitmqProgram = programOf('rabbitmq-server', join(scripts, 'rabbitmq-server'));

interface Ports {
  readonly amqp: number;
  readonly amqps: number;
  readonly distribution: number;
  /** Its nodes find each other by a daemon that every Erlang program of a machine shares, unless it has a port of its own. */
  readonly names: number;
}

export interface RabbitmqOptions {
  /** More lines of its configuration file, made with the port for TLS. */
  readonly settings?: (tlsPort: number) => readonly string[];
  /** Those to enable. */
  readonly plugins?: readonly string[];
  /** The folder that its data is in. */
  readonly within?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Virtual hosts that there are besides `/`. */
  readonly hosts?: readonly string[];
}

/** What is needed to use a broker that somebody else has started. */
export interface LentRabbitmq {
  readonly ports: Ports;
  readonly folder: string;
  readonly host: string;
}

/** What `rabbitmqctl` is told the virtual host for. */
const ofHost = ['list_queues', 'set_permissions', 'close_all_connections'];

/** A broker of a test's own; its data lives until it is disposed of, its process can be killed and started again. */
export class RabbitmqServer implements AsyncDisposable {
  readonly port: number;
  /** Where it speaks TLS, if its settings say so ({@link RabbitmqServer.start}). */
  readonly tlsPort: number;
  readonly #ports: Ports;
  readonly #folder: string;
  /** The virtual host that was lent. */
  readonly #host: string | undefined;
  #names: Child | undefined;
  #process: Child | undefined;

  private constructor(ports: Ports, folder: string, host?: string) {
    this.port = ports.amqp;
    this.tlsPort = ports.amqps;
    this.#ports = ports;
    this.#folder = folder;
    this.#host = host;
  }

  /**
   * A virtual host of the broker that all test files share, for those that do nothing to the broker itself: neither stop it,
   * nor block it, nor cut connections. A broker of their own where nobody lends one.
   */
  static async shared(): Promise<RabbitmqServer> {
    const lent = await borrowed<LentRabbitmq>('rabbitmq');
    return lent ? new RabbitmqServer(lent.ports, lent.folder, lent.host) : RabbitmqServer.start();
  }

  lent(host: string): LentRabbitmq {
    return { ports: this.#ports, folder: this.#folder, host };
  }

  static async start(options: RabbitmqOptions = {}): Promise<RabbitmqServer> {
    const { settings = () => [], plugins = [], within = tmpdir(), port, hosts = [] } = options;
    const [free = 0, amqps = 0, distribution = 0, names = 0] = await freePorts(4);
    const amqp = port ?? free;
    const folder = mkdtempSync(join(within, 'dowel-rabbitmq-'));
    const server = new RabbitmqServer({ amqp, amqps, distribution, names }, folder);
    const lines = [
      `listeners.tcp.1 = 127.0.0.1:${amqp}`,
      'log.file = false',
      'log.console = true',
      'log.console.level = info',
      'disk_free_limit.absolute = 1MB',
      'vm_memory_high_watermark.absolute = 400MB',
      ...settings(amqps),
    ];
    if (hosts.length > 0) {
      lines.push(`load_definitions = ${join(folder, 'definitions.json')}`);
      writeFileSync(join(folder, 'definitions.json'), JSON.stringify(definitionsOf(['/', ...hosts])));
    }
    mkdirSync(join(folder, 'home'));
    writeFileSync(join(folder, 'rabbitmq.conf'), `${lines.join('\n')}\n`);
    writeFileSync(join(folder, 'plugins'), `[${plugins.join(',')}].\n`);
    return started(server);
  }

  /** For the user that it comes with. */
  get url(): string {
    return `amqp://guest:guest@127.0.0.1:${this.port}${this.#host === undefined ? '' : `/${this.#host}`}`;
  }

  get process(): Child {
    if (!this.#process) throw new Error('the broker is not running');
    return this.#process;
  }

  async start(): Promise<void> {
    const env = this.#environment();
    const names = ['-port', `${this.#ports.names}`, '-address', '127.0.0.1'];
    this.#names ??= new Child('epmd', names, { env });
    const child = new Child(rabbitmqProgram ?? '', [], { env });
    this.#process = child;
    await child.until('RabbitMQ is ready', () => child.stdout.includes('Server startup complete'), 60_000);
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    await this.process.stop('SIGKILL');
  }

  /** What an operator says on the command line: `ctl('list_queues', 'name', 'messages')`. Gives what it printed. */
  async ctl(...words: readonly string[]): Promise<string> {
    const where = this.#host !== undefined && ofHost.includes(words[0] ?? '') && !words.includes('-p');
    const args = ['-q', ...words, ...(where ? ['-p', this.#host] : [])];
    const answer = await finished(join(scripts, 'rabbitmqctl'), args, { env: this.#environment() });
    if (answer.code !== 0) throw new Error(`rabbitmqctl ${words.join(' ')}: ${answer.stdout}${answer.stderr}`);
    return answer.stdout;
  }

  /** A user who may do what the three patterns say: configure, write, read. */
  async addUser(name: string, password: string, may: readonly [string, string, string]): Promise<void> {
    await this.ctl('add_user', name, password);
    await this.ctl('set_permissions', name, ...may);
  }

  /** Publishers have to wait from now on, as when memory runs short. */
  async block(): Promise<void> {
    await this.ctl('set_vm_memory_high_watermark', 'absolute', '1');
  }

  async unblock(): Promise<void> {
    await this.ctl('set_vm_memory_high_watermark', 'absolute', '400MB');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It is somebody else's.
    if (this.#host !== undefined) return;
    // Nobody looks at its data again: it need not be asked to end in good order, which takes seconds.
    await this.#process?.stop('SIGKILL');
    await this.#names?.stop('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #environment(): Readonly<Record<string, string>> {
    const at = (name: string): string => join(this.#folder, name);
    // One scheduler that does not spin: many of these run beside each other.
    const lean = '+S 1:1 +A 1 +sbwt none +sbwtdcpu none +sbwtdio none';
    return {
      HOME: at('home'),
      ERL_EPMD_PORT: `${this.#ports.names}`,
      ERL_EPMD_ADDRESS: '127.0.0.1',
      ERL_CRASH_DUMP: at('erl_crash.dump'),
      // The script then becomes the broker, instead of starting one and waiting for it.
      RUNNING_UNDER_SYSTEMD: '1',
      RABBITMQ_NODENAME: `dowel${this.port}@localhost`,
      RABBITMQ_CONF_ENV_FILE: '/dev/null',
      RABBITMQ_CONFIG_FILE: at('rabbitmq'),
      RABBITMQ_ENABLED_PLUGINS_FILE: at('plugins'),
      RABBITMQ_MNESIA_BASE: at('data'),
      RABBITMQ_LOG_BASE: at('log'),
      RABBITMQ_GENERATED_CONFIG_DIR: at('generated'),
      RABBITMQ_PID_FILE: at('pid'),
      RABBITMQ_DIST_PORT: `${this.#ports.distribution}`,
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `${lean} -kernel inet_dist_use_interface {127,0,0,1}`,
    };
  }
}

/** What there is from the start: the user that it comes with, and virtual hosts. */
const definitionsOf = (hosts: readonly string[]) => ({
  users: [{ name: 'guest', password: 'guest', tags: ['administrator'] }],
  vhosts: hosts.map((name) => ({ name })),
  permissions: hosts.map((vhost) => ({ user: 'guest', vhost, configure: '.*', write: '.*', read: '.*' })),
});
