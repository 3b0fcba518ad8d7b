import { join } from 'node:path';
import { Child, type ChildOptions, type Finished, finished, root } from './child-process.ts';

const launcher = join(root, 'bin', 'dowel.js');

/** One line of the log, as `run` writes it. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface DowelOptions extends ChildOptions {
  /** Default: `run`. */
  readonly command?: 'run' | 'dev';
  /** Milliseconds until it must be ready. */
  readonly within?: number;
}

/**
 * A running integration in a process of its own. Give it `PORT: '0'` where the file takes its port from there, and ask
 * for its `url`: then no port can be taken by somebody else.
 *
 *     await using shop = await startDowel('integrations/order/integration.yaml', { env: { PORT: '0' } });
 *     const answer = await fetch(`${shop.url}/orders`);
 */
export async function startDowel(file: string, options: DowelOptions = {}): Promise<DowelProcess> {
  const { command = 'run', within = 30_000 } = options;
  const dowel = new DowelProcess(process.execPath, [launcher, command, file], options);
  const isReady = (): boolean =>
    command === 'run'
      ? dowel.log.some(({ message }) => message === 'ready' || message.startsWith('open, but not ready'))
      : / ready {2}/.test(dowel.stderr);
  try {
    await dowel.until('ready', isReady, within);
  } catch (error) {
    await dowel[Symbol.asyncDispose]();
    throw error;
  }
  return dowel;
}

/** Runs a command of the command line to its end. */
export function runDowel(args: readonly string[], options: ChildOptions & { within?: number } = {}): Promise<Finished> {
  return finished(process.execPath, [launcher, ...args], options);
}

export class DowelProcess extends Child {
  /** The log so far; what is not a line of it (there should be none) is left out. */
  get log(): readonly LogLine[] {
    return this.stdout.split('\n').flatMap((line) => {
      try {
        return [JSON.parse(line) as LogLine];
      } catch {
        return [];
      }
    });
  }

  /** The first line of the log with this message. */
  logged(message: string): LogLine | undefined {
    return this.log.find((line) => line.message === message);
  }

  /** Where its http sources listen, on whatever port they got. */
  get url(): string {
    return `http://127.0.0.1:${this.#port('listening')}`;
  }

  get adminPort(): number {
    return this.#port('admin listening');
  }

  #port(message: string): number {
    const port = this.logged(message)?.['port'];
    if (typeof port !== 'number') throw new Error(this.describe(`it did not say: ${message}`));
    return port;
  }
}
