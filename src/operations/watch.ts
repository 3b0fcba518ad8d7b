import { stat } from 'node:fs/promises';
import { systemClock } from '../core/clock.ts';

/**
 * Calls `changed` when one of `files` has changed, one call at a time; it returns the files to watch from then on.
 * Chokidar follows the symlink swaps of Kubernetes ConfigMaps, and waits until a file is written. `since` is when the
 * files began to be read, in milliseconds since the epoch: what was changed behind that is told, though nobody watched yet.
 */
export async function watchFiles(
  files: readonly string[],
  changed: (files: readonly string[]) => Promise<readonly string[]>,
  since = Number.POSITIVE_INFINITY,
): Promise<{ close(): Promise<void> }> {
  const { watch } = await import('chokidar');
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
      readSince = systemClock.now();
      const now = new Set(await changed(paths));
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
  return { close: () => watcher.close() };
}

/** The system's clock for files runs some milliseconds behind: one reload too many is better than one too few. */
const coarse = 10;

/** Also of a file that was moved here, whose content is older. */
const changedAt = (path: string): Promise<number> =>
  stat(path).then(
    ({ ctimeMs }) => ctimeMs,
    () => Number.POSITIVE_INFINITY,
  );
