import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './child-process.ts';
import { programOf, started } from './debian-server.ts';
import { freePort } from './free-port.ts';

export const redisProgram = programOf('redis-server');

/** A server of a test's own; its data lives until it is disposed of, its process can be killed and started again. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #settings: readonly string[];
  #process: Child | undefined;

  private constructor(port: number, folder: string, settings: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#settings = settings;
  }

  /** As a durable store needs it, unless `settings` (command line: `--name value`) say something else. */
  static async start(...settings: readonly string[]): Promise<RedisServer> {
    return RedisServer.startAt(await freePort(), ...settings);
  }

  static async startAt(port: number, ...settings: readonly string[]): Promise<RedisServer> {
    const server = new RedisServer(port, mkdtempSync(join(tmpdir(), 'dowel-redis-')), settings);
    return started(server);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get process(): Child {
    if (!this.#process) throw new Error('the server is not running');
    return this.#process;
  }

  async start(): Promise<void> {
    const own = ['--bind', '127.0.0.1', '--port', `${this.port}`, '--dir', this.#folder, '--save', ''];
    const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];
    const child = new Child(redisProgram ?? '', [...own, ...durable, ...this.#settings]);
    this.#process = child;
    await child.until('redis is ready', () => child.stdout.includes('Ready to accept connections'));
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    await this.process.stop('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
