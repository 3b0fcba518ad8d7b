import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';

/** The root of the repository. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  /** Added to the few variables that every process needs; nothing else of our own environment is handed on. */
  readonly env?: Environment;
  /** Default: the root of the repository. */
  readonly cwd?: string;
  /** Written to its standard input, which is then closed. */
  readonly input?: string;
  /** Runs as this user and group: possible for root only. */
  readonly user?: number | undefined;
}

const handedOn = ['PATH', 'HOME', 'TMPDIR'] as const;

/** A process that a test has started: what it wrote so far, and a way to end it. Never outlives the test. */
export class Child implements AsyncDisposable {
  readonly ended: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #command: string;
  #stdout = '';
  #stderr = '';
  #exit: Exit | undefined;

  constructor(file: string, args: readonly string[], options: ChildOptions = {}) {
    const env: NodeJS.ProcessEnv = { NO_COLOR: '1' };
    for (const name of handedOn) if (process.env[name] !== undefined) env[name] = process.env[name];
    this.#command = [file, ...args].join(' ');
    this.#child = spawn(file, [...args], {
      cwd: options.cwd ?? root,
      env: { ...env, ...options.env },
      ...(options.user === undefined ? {} : { uid: options.user, gid: options.user }),
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#child.stdin?.end(options.input);
    // A test that dies must not leave processes behind.
    const reap = (): void => void this.#child.kill('SIGKILL');
    process.once('exit', reap);
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      // Not `exit`: what it wrote last may still be in the pipe then.
      this.#child.once('close', (code, signal) => {
        process.off('exit', reap);
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
    // Whoever awaits it gets the error; nobody needs to.
    this.ended.catch(() => {});
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`not started: ${this.#command}`);
    return this.#child.pid;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** How it ended; `undefined` while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until `holds`; fails at once, with all it wrote, when it ends before. */
  async until(what: string, holds: () => boolean | Promise<boolean>, within?: number): Promise<void> {
    await eventually(
      what,
      async () => {
        if (await holds()) return true;
        if (this.#child.pid === undefined) await this.ended;
        if (this.#exit) throw new Error(this.describe(`ended before: ${what}`));
        return false;
      },
      within,
    ).catch((error: Error) => {
      throw this.#exit || this.#child.pid === undefined ? error : new Error(this.describe(error.message));
    });
  }

  /** Asks it to end, as an operator would, and waits for that. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.#child.kill(signal);
    return this.ended;
  }

  /** For messages: what happened, and everything it wrote. */
  describe(what: string): string {
    const how = this.#exit ? `exit ${this.#exit.code ?? this.#exit.signal}` : 'still running';
    return `${what}\n${this.#command} (${how})\nstdout:\n${this.#stdout}\nstderr:\n${this.#stderr}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#exit || this.#child.pid === undefined) return;
    this.#child.kill('SIGTERM');
    const last = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    await this.ended;
    clearTimeout(last);
  }
}

const compileCache = fileURLToPath(new URL('compile-cache.js', import.meta.url));

/** The arguments by which Node runs a script of the tests: what this process has compiled it finds compiled. */
export const scriptArgs = (script: string, ...args: readonly string[]): readonly string[] => [
  '--import',
  compileCache,
  script,
  ...args,
];

export interface Finished extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end; after `within` ms it is killed, and the test fails with what it wrote. */
export async function finished(
  file: string,
  args: readonly string[],
  options: ChildOptions & { readonly within?: number } = {},
): Promise<Finished> {
  await using child = new Child(file, args, options);
  const { within = 60_000 } = options;
  await child.until('its end', () => child.exit !== undefined, within);
  return { ...(await child.ended), stdout: child.stdout, stderr: child.stderr };
}
