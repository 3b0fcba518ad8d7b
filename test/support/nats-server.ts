import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './child-process.ts';
import { programOf, started } from './debian-server.ts';
import { freePort } from './free-port.ts';

export const natsProgram = programOf('nats-server', '/usr/{sbin,local/sbin}/nats-server');

export interface NatsOptions {
  readonly port?: number;
  /** Where its data lies; absent: a folder of its own, gone with it. */
  readonly folder?: string;
  /** More lines of its configuration file. */
  readonly settings?: readonly string[];
  /** Without it there are only subjects. */
  readonly jetstream?: boolean;
}

/** A server of a test's own; its data lives until it is disposed of, its process can be killed and started again. */
export class NatsServer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #keeps: boolean;
  #process: Child | undefined;

  private constructor(port: number, folder: string, keeps: boolean) {
    this.port = port;
    this.#folder = folder;
    this.#keeps = keeps;
  }

  static async start(options: NatsOptions = {}): Promise<NatsServer> {
    const { settings = [], jetstream = true } = options;
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'dowel-nats-'));
    const server = new NatsServer(options.port ?? (await freePort()), folder, options.folder !== undefined);
    const lines = [
      `listen: "127.0.0.1:${server.port}"`,
      ...(jetstream ? [`jetstream { store_dir: ${JSON.stringify(folder)} }`] : []),
      ...settings,
    ];
    writeFileSync(join(folder, 'nats.conf'), `${lines.join('\n')}\n`);
    return started(server);
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get process(): Child {
    if (!this.#process) throw new Error('the server is not running');
    return this.#process;
  }

  async start(): Promise<void> {
    const child = new Child(natsProgram ?? '', ['-c', join(this.#folder, 'nats.conf')]);
    this.#process = child;
    await child.until('nats-server is ready', () => child.stderr.includes('Server is ready'));
  }

  /** Ends it as a power cut would, but for what the operating system has. */
  async kill(): Promise<void> {
    await this.process.stop('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
    if (!this.#keeps) rmSync(this.#folder, { recursive: true, force: true });
  }
}
