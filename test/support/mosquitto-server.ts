import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, finished } from './child-process.ts';
import { programOf, started } from './debian-server.ts';
import { freePorts } from './free-port.ts';

export const mosquittoProgram = programOf('mosquitto', '/usr/{sbin,local/sbin}/mosquitto');

export interface MosquittoOptions {
  /** Names and passwords of those who may connect; absent = everybody. */
  readonly users?: Readonly<Record<string, string>>;
  /** More lines of its configuration file, made with the folder where `files` are and the port for TLS. */
  readonly settings?: (folder: string, tlsPort: number) => readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  /** Default: a free one. */
  readonly port?: number;
  /** Nothing of it is written to the disk, and its log has only connections: where speed is measured. */
  readonly lean?: boolean;
}

/** A broker of a test's own; its data lives until it is disposed of, its process can be killed and started again. */
export class MosquittoServer implements AsyncDisposable {
  readonly port: number;
  /** Where it speaks TLS, if its settings say so. */
  readonly tlsPort: number;
  readonly #folder: string;
  #process: Child | undefined;

  private constructor(port: number, tlsPort: number, folder: string) {
    this.port = port;
    this.tlsPort = tlsPort;
    this.#folder = folder;
  }

  static async start({
    users,
    settings,
    files = {},
    port: wanted,
    lean = false,
  }: MosquittoOptions = {}): Promise<MosquittoServer> {
    const [free = 0, tlsPort = 0] = await freePorts(2);
    const port = wanted ?? free;
    const folder = mkdtempSync(join(tmpdir(), 'dowel-mosquitto-'));
    const server = new MosquittoServer(port, tlsPort, folder);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const lines = [
      // It would become somebody else, who may not read the folder.
      'user root',
      'per_listener_settings false',
      'log_dest stderr',
      ...(lean ? ['log_type information', 'persistence false'] : ['log_type all', ...persistence(folder)]),
      'sys_interval 1',
      `listener ${port} 127.0.0.1`,
      `allow_anonymous ${users === undefined}`,
      ...(users ? [`password_file ${await passwordFile(folder, users)}`] : []),
      ...(settings?.(folder, tlsPort) ?? []),
    ];
    writeFileSync(join(folder, 'mosquitto.conf'), `${lines.join('\n')}\n`);
    return started(server);
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  get process(): Child {
    if (!this.#process) throw new Error('the broker is not running');
    return this.#process;
  }

  /** Everything it has said since it was started last. */
  get log(): string {
    return this.process.stderr;
  }

  async start(): Promise<void> {
    const child = new Child(mosquittoProgram ?? '', ['-c', join(this.#folder, 'mosquitto.conf')]);
    this.#process = child;
    await child.until('Mosquitto is ready', () => child.stderr.includes(' running'));
  }

  /** Brings what it has in memory to the disk, as it does by itself a moment after each change. */
  async save(): Promise<void> {
    const file = join(this.#folder, 'mosquitto.db');
    const written = (): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const before = written();
    this.process.kill('SIGUSR1');
    await this.process.until('Mosquitto has saved', () => written() !== before);
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    await this.process.stop('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.stop('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const persistence = (folder: string): readonly string[] => [
  'persistence true',
  `persistence_location ${folder}/`,
  // After every change, which is as much as it can do.
  'autosave_on_changes true',
  'autosave_interval 1',
];

async function passwordFile(folder: string, users: Readonly<Record<string, string>>): Promise<string> {
  const file = join(folder, 'passwords');
  writeFileSync(
    file,
    Object.entries(users)
      .map(([name, password]) => `${name}:${password}\n`)
      .join(''),
    { mode: 0o600 },
  );
  const { code, stderr } = await finished('mosquitto_passwd', ['-U', file]);
  if (code !== 0) throw new Error(stderr);
  return file;
}
