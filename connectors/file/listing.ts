import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#sdk';

export interface Found {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly modifiedAt: number;
  readonly inode: number;
}

interface Seen {
  readonly file: Found;
  /** Monotonic: since when it has looked like this. */
  readonly since: number;
}

const same = (a: Found, b: Found): boolean => a.size === b.size && a.modifiedAt === b.modifiedAt && a.inode === b.inode;

// How many files are asked about at once.
const together = 32;

/** Bytes of a name: a count, a time and `.error.json` are added to it, and file systems end at 255. */
const longestName = 200;

const nameProblem = (name: string): string | undefined => {
  if (Buffer.byteLength(name) > longestName) return `its name is longer than ${longestName} bytes`;
  return name.includes('\ufffd') ? 'its name is not UTF-8' : undefined;
};

export interface Look {
  /** Complete files in the order of their names. */
  readonly ready: readonly Found[];
  /** In how many milliseconds the next one may be complete. */
  readonly wait: number | undefined;
  /** Files that can never be taken, and why. */
  readonly refused: readonly { readonly name: string; readonly detail: string }[];
}

/** What is in the folder, and since when each file has not changed: nothing else tells that a file is complete. */
export class Listing {
  readonly #path: string;
  readonly #accepts: (name: string) => boolean;
  readonly #settle: number;
  readonly #clock: Clock;
  #seen: ReadonlyMap<string, Seen> = new Map();

  constructor(path: string, accepts: (name: string) => boolean, settle: number, clock: Clock) {
    this.#path = path;
    this.#accepts = accepts;
    this.#settle = settle;
    this.#clock = clock;
  }

  async look(): Promise<Look> {
    // Of the types only plain files: a link could lead out of the folder, a pipe would never end.
    const entries = await readdir(this.#path, { withFileTypes: true });
    const matching = entries.filter((entry) => entry.isFile() && this.#accepts(entry.name)).map((entry) => entry.name);
    const refused = matching.flatMap((name) => {
      const detail = nameProblem(name);
      return detail === undefined ? [] : [{ name, detail }];
    });
    const names = matching.filter((name) => nameProblem(name) === undefined).sort();
    const seen = new Map<string, Seen>();
    const ready: Found[] = [];
    let wait: number | undefined;
    for (let at = 0; at < names.length; at += together) {
      for (const file of await Promise.all(names.slice(at, at + together).map((name) => this.#stat(name)))) {
        if (!file) continue;
        const now = this.#clock.monotonic();
        const before = this.#seen.get(file.name);
        const since = before && same(before.file, file) ? before.since : now;
        seen.set(file.name, { file, since });
        const left = since + this.#settle - now;
        if (left <= 0) ready.push(file);
        else wait = Math.min(wait ?? left, left);
      }
    }
    this.#seen = seen;
    return { ready, wait, refused };
  }

  /** Whether the file is still what it was when it was found. */
  async unchanged(file: Found): Promise<boolean> {
    const now = await this.#stat(file.name);
    return now !== undefined && same(file, now);
  }

  async #stat(name: string): Promise<Found | undefined> {
    const path = join(this.#path, name);
    const stats = await lstat(path).catch(() => undefined);
    if (!stats?.isFile()) return undefined;
    return { name, path, size: stats.size, modifiedAt: stats.mtimeMs, inode: stats.ino };
  }
}
