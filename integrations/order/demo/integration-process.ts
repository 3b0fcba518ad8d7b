import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { fileURLToPath } from 'node:url';

const bin = (file: string): string => fileURLToPath(new URL(`../../../bin/${file}`, import.meta.url));

export interface Description {
  readonly name: string;
  /** Of the integration, from the folder of the examples. */
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
  /** Where what it writes is kept. */
  readonly logFile: string;
}

/** `dowel run` as a process of its own. */
export class IntegrationProcess {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #output = '';
  #stopping = false;

  /** Resolves when it takes requests; rejects with what it said when it ends instead. */
  static async start(description: Description): Promise<IntegrationProcess> {
    const started = new IntegrationProcess(description);
    await started.#ready();
    return started;
  }

  private constructor({ name, file, env, logFile }: Description) {
    this.#name = name;
    const path = fileURLToPath(new URL(`../../${file}`, import.meta.url));
    const args = ['--import', new URL('../../../bin/end-with-parent.js', import.meta.url).href, bin('dowel.js'), 'run'];
    this.#child = spawn(process.execPath, [...args, path], {
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A group of its own: Ctrl-C is ours alone, and we tell it to stop.
      detached: true,
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#output += error.message;
        resolve();
      });
      this.#child.once('close', () => resolve());
    });
    const log = createWriteStream(logFile, { flags: 'a' });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.pipe(log, { end: false });
    void this.#ended.then(() => log.end());
  }

  /** Resolves when it has ended though nobody told it to. */
  get died(): Promise<string> {
    return this.#ended.then(() => (this.#stopping ? new Promise<never>(() => {}) : this.#name));
  }

  /** Finishes what is under way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child.kill('SIGTERM');
    await this.#ended;
  }

  /** As a crash would end it. */
  async kill(): Promise<void> {
    this.#stopping = true;
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async #ready(): Promise<void> {
    const { stdout, stderr } = this.#child;
    const ready = new Promise<boolean>((resolve) => {
      const read = (chunk: Buffer): void => {
        this.#output += chunk.toString();
        if (!this.#output.includes('"message":"ready"')) return;
        stdout?.off('data', read);
        stderr?.off('data', read);
        resolve(true);
      };
      stdout?.on('data', read);
      stderr?.on('data', read);
    });
    if (await Promise.race([ready, this.#ended])) return;
    throw new Error(`${this.#name} did not start:\n${this.#output.trim()}`);
  }
}
