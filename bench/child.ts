import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const preload = new URL('preload/usage.js', import.meta.url).href;

export interface Usage {
  /** Microseconds of processor time since its start, of all its threads. */
  readonly cpu: number;
  /** Bytes. */
  readonly rss: number;
}

export interface ChildOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** It can be asked for its usage. */
  readonly measured?: boolean;
  /** Milliseconds until it must have answered. */
  readonly patience?: number;
}

/** A Node process that belongs to the bench: it answers messages, and says what it has used. */
export class Child {
  readonly #process: ChildProcess;
  readonly #file: string;
  readonly #patience: number;
  readonly #ended: Promise<void>;
  #output = '';

  constructor(file: string | URL, options: ChildOptions = {}) {
    this.#file = file instanceof URL ? fileURLToPath(file) : file;
    this.#patience = options.patience ?? 30_000;
    this.#process = fork(this.#file, options.args ?? [], {
      execArgv: options.measured ? ['--import', preload] : [],
      env: { ...process.env, ...options.env },
      cwd: options.cwd,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const keep = (text: Buffer): void => {
      this.#output = `${this.#output}${text}`.slice(-100_000);
    };
    this.#process.stdout?.on('data', keep);
    this.#process.stderr?.on('data', keep);
    // A bench that dies leaves nothing behind.
    const reap = (): void => void this.#process.kill('SIGKILL');
    process.on('exit', reap);
    this.#ended = new Promise((resolve) =>
      this.#process.once('close', () => {
        process.off('exit', reap);
        resolve();
      }),
    );
  }

  /** What it has written, to both streams. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** The next message it sends; `message`, if any, is sent to it first. */
  ask<T>(message?: object | string): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#process.off('message', onMessage);
        this.#process.off('close', onClose);
      };
      const onMessage = (answer: unknown): void => {
        settle();
        const { error } = answer as { readonly error?: string };
        if (error === undefined) resolve(answer as T);
        else reject(new Error(error));
      };
      const onClose = (): void => {
        settle();
        reject(new Error(`${this.#file} ended:\n${this.#output}`));
      };
      const timer = setTimeout(() => {
        settle();
        reject(new Error(`${this.#file} did not answer within ${this.#patience} ms:\n${this.#output}`));
      }, this.#patience);
      this.#process.on('message', onMessage);
      this.#process.on('close', onClose);
      if (message !== undefined) this.#process.send(message);
    });
  }

  async usage(): Promise<Usage> {
    const { usage } = await this.ask<{ readonly usage: Usage }>('usage');
    return usage;
  }

  /** Resolves when `found` finds something in what it has written. */
  async until<T>(what: string, found: (output: string) => T | undefined): Promise<T> {
    const end = performance.now() + this.#patience;
    for (;;) {
      const value = found(this.#output);
      if (value !== undefined) return value;
      if (!this.running) throw new Error(`${this.#file} ended before it was ${what}:\n${this.#output}`);
      if (performance.now() > end) throw new Error(`${this.#file} was not ${what} in time:\n${this.#output}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** It stands still until {@link resume}. */
  pause(): void {
    this.#process.kill('SIGSTOP');
  }

  resume(): void {
    this.#process.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    const force = setTimeout(() => this.#process.kill('SIGKILL'), 5_000);
    await this.#ended;
    clearTimeout(force);
  }
}
