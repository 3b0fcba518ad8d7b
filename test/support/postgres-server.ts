import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Child, finished } from './child-process.ts';
import { programOf, started, userId } from './debian-server.ts';
import { freePort } from './free-port.ts';

// Debian keeps it, with `initdb`, out of PATH.
export const postgresProgram = programOf('postgres', '/usr/lib/postgresql/*/bin/postgres');

const password = 'p@ss%20/word';

/** A server of a test's own; its data lives until it is disposed of, its process can be killed and started again. */
export class PostgresServer implements AsyncDisposable {
  readonly port: number;
  readonly user = 'dowel';
  readonly password = password;
  readonly #folder: string;
  /** The server refuses to run as root. */
  readonly #asUser: number | undefined;
  #process: Child | undefined;

  private constructor(port: number, folder: string, asUser: number | undefined) {
    this.port = port;
    this.#folder = folder;
    this.#asUser = asUser;
  }

  static async start(port?: number): Promise<PostgresServer> {
    const asUser = process.getuid?.() === 0 ? userId('postgres') : undefined;
    const folder = mkdtempSync(join(tmpdir(), 'dowel-postgres-'));
    const server = new PostgresServer(port ?? (await freePort()), folder, asUser);
    await server.#initialize();
    return started(server);
  }

  /** Without the password. */
  get url(): string {
    return `postgresql://${this.user}@127.0.0.1:${this.port}/postgres`;
  }

  /** For a client of the test's own. */
  get connection() {
    return { host: '127.0.0.1', port: this.port, user: this.user, password, database: 'postgres' };
  }

  get process(): Child {
    if (!this.#process) throw new Error('the server is not running');
    return this.#process;
  }

  async start(): Promise<void> {
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'shared_buffers=16MB'];
    const args = ['-D', this.#data, '-p', `${this.port}`, ...settings.flatMap((one) => ['-c', one])];
    for (;;) {
      const child = new Child(postgresProgram ?? '', args, { user: this.#asUser, cwd: this.#folder });
      this.#process = child;
      try {
        await child.until('postgres is ready', () => child.stderr.includes('ready to accept connections'));
        return;
      } catch (error) {
        // After a kill its workers need a moment to notice.
        if (!/pre-existing shared memory block|another server might be running/.test(child.stderr)) throw error;
      }
    }
  }

  /** Ends it as a power cut would; its workers notice and end too. */
  async kill(): Promise<void> {
    await this.process.stop('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Fast: does not wait for whoever is connected.
    if (this.#process?.exit === undefined) await this.#process?.stop('SIGINT');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }

  async #initialize(): Promise<void> {
    const passwordFile = join(this.#folder, 'password');
    writeFileSync(passwordFile, password);
    mkdirSync(this.#data, { mode: 0o700 });
    const owned = [this.#folder, this.#data, passwordFile];
    if (this.#asUser !== undefined) for (const path of owned) chownSync(path, this.#asUser, this.#asUser);
    const who = ['-U', this.user, '-A', 'scram-sha-256', '--pwfile', passwordFile];
    const args = ['-D', this.#data, ...who, '--no-sync', '--no-instructions', '--locale=C', '-E', 'UTF8'];
    const program = join(dirname(postgresProgram ?? ''), 'initdb');
    const made = await finished(program, args, { user: this.#asUser, cwd: this.#folder });
    if (made.code !== 0) throw new Error(`initdb: ${made.stdout}${made.stderr}`);
  }
}
