import { stat } from 'node:fs/promises';
import { systemClock } from '../core/clock.ts';

/**
 * Calls `changed` when one of `files` has changed, one call at a time; it returns the files to watch from then on.
 * Chokidar follows the symlink swaps of Kubernetes ConfigMaps, and waits until a file is written. Where the system tells of no
 * changes (folders that a container shares with another system, some networks), they are seen within two seconds. `since` is when the
 * files began to be read, in milliseconds since the epoch: what was changed behind that is told, though nobody watched yet.
 */
export async function watchFiles(
  files: readonly string[],
  changed: (files: readonly string[]) => Promise<readonly string[]>,
  since = Number.POSITIVE_INFINITY,
): Promise<{ close(): Promise<void> }> {
  const { watch } = await import('chokidar');
  /** Of the files as they were when they were read last. */
  let known = await stampsOf(files);
  const watcher = watch([...files], { awaitWriteFinish: { stabilityThreshold: 100, pollInterval: 20 } });
  let watched = new Set(files);
  const waiting = new Set<string>();
  let readSince = since;
  let busy = false;

  const next = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    while (waiting.size > 0) {
      const paths = [...waiting];
      waiting.clear();
      known = await stampsOf([...watched]);
      readSince = systemClock.now();
      const now = new Set(await changed(paths));
      for (const [path, stamp] of await stampsOf([...now].filter((file) => !watched.has(file)))) known.set(path, stamp);
      watcher.unwatch([...watched].filter((file) => !now.has(file)));
      watcher.add([...now].filter((file) => !watched.has(file)));
      watched = now;
    }
    busy = false;
  };
  const tell = (path: string): void => {
    waiting.add(path);
    void next();
  };
  watcher.on('change', tell);
  watcher.on('unlink', tell);
  // Comes for every file when watching begins, as well as for one that was missing and is there now.
  watcher.on('add', async (path) => {
    if ((await changedAt(path)) >= readSince - coarse) tell(path);
  });
  await new Promise<void>((resolve) => watcher.once('ready', () => resolve()));

  let closed = false;
  let suspects: Stamps = new Map();
  const look = async (): Promise<void> => {
    const now = await stampsOf([...watched]);
    const others = busy ? [] : [...now].filter(([path, stamp]) => known.get(path) !== stamp);
    // Those that are being written, and those that chokidar is about to tell, look otherwise the next time.
    for (const [path, stamp] of others) if (suspects.get(path) === stamp) tell(path);
    suspects = new Map(others);
    if (!closed) cancel = systemClock.after(lookMs, look, true);
  };
  let cancel = systemClock.after(lookMs, look, true);
  return {
    async close() {
      closed = true;
      cancel();
      await watcher.close();
    },
  };
}

/** How often files are looked at, whatever the system tells. */
const lookMs = 1000;

type Stamps = Map<string, string>;

/** What changes with the content of a file. */
async function stampsOf(files: readonly string[]): Promise<Stamps> {
  const stamps = files.map(async (path): Promise<[string, string]> => {
    const found = await stat(path).catch(() => undefined);
    return [path, found ? `${found.ino} ${found.size} ${found.ctimeMs}` : 'missing'];
  });
  return new Map(await Promise.all(stamps));
}

/** The system's clock for files runs some milliseconds behind: one reload too many is better than one too few. */
const coarse = 10;

/** Also of a file that was moved here, whose content is older. */
const changedAt = (path: string): Promise<number> =>
  stat(path).then(
    ({ ctimeMs }) => ctimeMs,
    () => Number.POSITIVE_INFINITY,
  );
