import { mkdir, readdir, rename, rmdir, stat, unlink, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock, Random } from '#sdk';
import { systemCode } from './file-failure.ts';
import { identityText, ownIdentity, type ProcessIdentity, parseIdentity, surelyDead } from './process-identity.ts';

/** A file that this source alone works on. */
export interface Claim {
  /** Where it is now. */
  readonly path: string;
  /** As it was called in the folder. */
  readonly name: string;
  /** How often it was begun; stands in the file's name, so that it survives a crash. */
  readonly attempt: number;
}

export interface ClaimLimits {
  /** An owner that shows no sign of life for this long has lost its claims. */
  readonly lease: number;
}

export const defaultLease = 30_000;

/** All claims of a folder, below it: a rename within one file system either happens or does not. */
const claimsFolder = '.claimed';
const released = 'released_';

const ignore =
  (...codes: readonly string[]) =>
  (thrown: unknown): undefined => {
    if (codes.includes(systemCode(thrown) ?? '')) return undefined;
    throw thrown;
  };

/**
 * Competing Consumers (EIP) over a folder: a file belongs to whoever renamed it into a folder of its own. The folder's
 * name says who that is and its time is the owner's sign of life, so that the claims of a dead process are taken over:
 * at once by processes that can see that it is dead, after the lease by all others.
 */
export class Claims {
  static async open(path: string, clock: Clock, random: Random, limits: ClaimLimits): Promise<Claims> {
    const own = await ownIdentity();
    const root = join(path, claimsFolder);
    for (;;) {
      await mkdir(root, { recursive: true });
      const folder = join(root, identityText(own, random.uuid().slice(0, 8)));
      try {
        await mkdir(folder);
        return new Claims(root, folder, own, clock, random, limits);
      } catch (thrown) {
        // Taken by another source of this process, or the last owner has just cleaned up.
        ignore('EEXIST', 'ENOENT')(thrown);
      }
    }
  }

  readonly #root: string;
  readonly #folder: string;
  readonly #own: ProcessIdentity;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limits: ClaimLimits;
  /** Last seen signs of life of others, by our own clock: theirs may be wrong. */
  readonly #signs = new Map<string, { readonly at: number; readonly since: number }>();
  #count = 0;

  private constructor(
    root: string,
    folder: string,
    own: ProcessIdentity,
    clock: Clock,
    random: Random,
    limits: ClaimLimits,
  ) {
    this.#root = root;
    this.#folder = folder;
    this.#own = own;
    this.#clock = clock;
    this.#random = random;
    this.#limits = limits;
  }

  /** Claims `from`; `undefined` when somebody else was faster. */
  take(from: string, name: string): Promise<Claim | undefined> {
    return this.#move(from, name, 1);
  }

  /** The next attempt at a claim begins; `undefined` when it was taken from us. */
  again(claim: Claim): Promise<Claim | undefined> {
    return this.#move(claim.path, claim.name, claim.attempt + 1);
  }

  /** The attempt does not count: it was ended from outside. */
  async forgive(claim: Claim): Promise<void> {
    await this.#move(claim.path, claim.name, claim.attempt - 1);
  }

  /** The sign of life. */
  async live(): Promise<void> {
    const now = this.#clock.now() / 1000;
    await utimes(this.#folder, now, now).catch(async (thrown) => {
      ignore('ENOENT')(thrown);
      await mkdir(this.#folder, { recursive: true });
    });
  }

  /**
   * Takes over what dead or closed owners left, in the order of names. No attempt begins by that: what only waited
   * beside the file that kills every process must not be blamed for it.
   */
  async recover(accepts: (name: string) => boolean): Promise<readonly Claim[]> {
    const found: Claim[] = [];
    for (const owner of (await readdir(this.#root).catch(ignore('ENOENT'))) ?? []) {
      const folder = join(this.#root, owner);
      if (folder === this.#folder) continue;
      try {
        if (await this.#isOrphan(owner, folder)) await this.#takeOver(folder, accepts, found);
      } catch (thrown) {
        // What was taken over until then is not to be lost; the next look finds the trouble again.
        if (found.length > 0) break;
        throw thrown;
      }
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async #takeOver(folder: string, accepts: (name: string) => boolean, found: Claim[]): Promise<void> {
    for (const file of (await readdir(folder).catch(ignore('ENOENT', 'ENOTDIR'))) ?? []) {
      const [, attempt, name] = /^(\d+)\.\d+\.(.+)$/s.exec(file) ?? [];
      if (attempt === undefined || name === undefined || !accepts(name)) continue;
      const claim = await this.#move(join(folder, file), name, Number(attempt));
      if (claim) found.push(claim);
    }
    // Not empty: claims of a source with another glob, which finds them itself.
    await rmdir(folder).catch(ignore('ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST'));
    this.#signs.delete(basename(folder));
  }

  /** What is still claimed is free for others, at once, and keeps its count of attempts. */
  async release(): Promise<void> {
    try {
      await rmdir(this.#folder);
    } catch (thrown) {
      if (systemCode(thrown) === 'ENOENT') return;
      await rename(this.#folder, join(this.#root, `${released}${this.#random.uuid()}`));
    }
    // Fails as long as somebody has claims.
    await rmdir(this.#root).catch(() => undefined);
  }

  static async remove(claim: Claim): Promise<void> {
    await unlink(claim.path);
  }

  async #move(from: string, name: string, attempt: number): Promise<Claim | undefined> {
    // Counted, so that two files of one name, one after the other in the folder, never meet here.
    const path = join(this.#folder, `${attempt}.${++this.#count}.${name}`);
    const claim = { path, name, attempt };
    try {
      await rename(from, path);
      return claim;
    } catch (thrown) {
      ignore('ENOENT')(thrown);
    }
    // Either the file is gone, or our own folder, taken away while this process stood still.
    await mkdir(this.#folder, { recursive: true });
    return rename(from, path).then(() => claim, ignore('ENOENT'));
  }

  async #isOrphan(owner: string, folder: string): Promise<boolean> {
    if (owner.startsWith(released)) return true;
    const identity = parseIdentity(owner);
    if (!identity) return false;
    if (await surelyDead(identity, this.#own)) return true;
    const at = (await stat(folder).catch(ignore('ENOENT')))?.mtimeMs;
    if (at === undefined) return false;
    const now = this.#clock.monotonic();
    const sign = this.#signs.get(owner);
    if (sign?.at !== at) {
      this.#signs.set(owner, { at, since: now });
      return false;
    }
    return now - sign.since >= this.#limits.lease;
  }
}
