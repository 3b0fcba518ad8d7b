import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from './file-failure.ts';
import { sync, syncFolder } from './sync.ts';

/** One message at the end of a file. */
export interface Addition {
  readonly bytes: Uint8Array;
  /** A line of its own: begins behind a newline and ends with one. */
  readonly line: boolean;
  /** The message chose the path: a symbolic link there is not followed. */
  readonly chosen: boolean;
  readonly sync: boolean;
}

export interface Appended {
  /** How many are in the file, from the first on. */
  readonly written: number;
  /** Why the one behind them is not. */
  readonly error?: { readonly thrown: unknown };
  /** Whether the file ends with a whole line; `undefined` = unknown after an error. */
  readonly atLineStart?: boolean;
}

const newline = Buffer.from('\n');
const endsLine = (bytes: Uint8Array): boolean => bytes.at(-1) === newline[0];

/**
 * Opened anew for each batch: who rotates a log renames it, and expects the next line in a new file. Where `sync` fails,
 * nothing of the batch counts as written. `atLineStart`: what is known from the last time.
 */
export async function appendTo(
  path: string,
  additions: readonly Addition[],
  atLineStart: boolean | undefined,
): Promise<Appended> {
  let end: End | undefined;
  let written = 0;
  let error: Appended['error'];
  try {
    const noLink = additions.some((one) => one.chosen);
    end = await End.open(path, noLink, atLineStart);
    for (const one of additions) {
      await end.add(one);
      written++;
    }
  } catch (thrown) {
    error = { thrown };
  }
  try {
    await end?.close(additions.slice(0, written).some((one) => one.sync));
  } catch (thrown) {
    return { written: 0, error: { thrown } };
  }
  return error ? { written, error } : { written, atLineStart: end?.atLineStart ?? true };
}

/** The end of an open file. */
class End {
  static async open(path: string, noLink: boolean, atLineStart: boolean | undefined): Promise<End> {
    const handle = await openEnd(path, noLink);
    try {
      const stats = await handle.stat();
      const size = stats.isFile() ? stats.size : undefined;
      return new End(path, handle, size, size ? (atLineStart ?? (await endsWithLine(handle, size))) : true);
    } catch (thrown) {
      await handle.close();
      throw thrown;
    }
  }

  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #isNew: boolean;
  /** As far as we know: others may write too. `undefined` where there is no such thing, as in a pipe. */
  #size: number | undefined;
  #atLineStart: boolean;

  private constructor(path: string, handle: FileHandle, size: number | undefined, atLineStart: boolean) {
    this.#path = path;
    this.#handle = handle;
    this.#isNew = size === 0;
    this.#size = size;
    this.#atLineStart = atLineStart;
  }

  get atLineStart(): boolean {
    return this.#atLineStart;
  }

  async add({ bytes, line }: Addition): Promise<void> {
    const parts = [bytes];
    // Half a line may stand there, of a process that died over it: it must not swallow this message.
    if (line && !this.#atLineStart) parts.unshift(newline);
    if (line && !endsLine(bytes)) parts.push(newline);
    const [only] = parts;
    const whole = only && parts.length === 1 ? only : Buffer.concat(parts);
    if (whole.length === 0) return;
    await this.#write(whole);
    this.#atLineStart = endsLine(whole);
  }

  async close(toDisk: boolean): Promise<void> {
    try {
      if (toDisk) await sync(this.#handle);
    } finally {
      await this.#handle.close();
    }
    if (toDisk && this.#isNew) await syncFolder(dirname(this.#path));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    let done = 0;
    try {
      // One write, which the system puts at the end as a whole; it is cut short only when the disk is full.
      while (done < bytes.length) done += (await this.#handle.write(bytes, done)).bytesWritten;
    } catch (thrown) {
      await this.#takeBack(done);
      throw thrown;
    }
    if (this.#size !== undefined) this.#size += done;
  }

  /** No half line stays behind, unless somebody else has written since: theirs must not be cut off. */
  async #takeBack(count: number): Promise<void> {
    if (count === 0 || this.#size === undefined) return;
    const { size } = await this.#handle.stat();
    if (size === this.#size + count) await this.#handle.truncate(this.#size);
  }
}

/** While another process writes, the size may be seen to grow by pieces: only an end that stays tells something. */
async function endsWithLine(handle: FileHandle, size: number): Promise<boolean> {
  for (let at = size; ; ) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, at - 1);
    if (bytesRead === 0 || endsLine(buffer)) return true;
    const now = (await handle.stat()).size;
    if (now === at) return false;
    at = now;
  }
}

async function openEnd(path: string, noLink: boolean): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | (noLink ? constants.O_NOFOLLOW : 0);
  try {
    return await open(path, flags);
  } catch (thrown) {
    if (systemCode(thrown) !== 'ENOENT') throw thrown;
  }
  await mkdir(dirname(path), { recursive: true });
  return open(path, flags);
}
