/**
 * Calls `changed` when one of `files` has changed, one call at a time; it returns the files to watch from then on.
 * Chokidar follows the symlink swaps of Kubernetes ConfigMaps, and waits until a file is written.
 */
export async function watchFiles(
  files: readonly string[],
  changed: (files: readonly string[]) => Promise<readonly string[]>,
): Promise<{ close(): Promise<void> }> {
  const { watch } = await import('chokidar');
  const watcher = watch([...files], {
    ignoreInitial: true,
    awaitWriteFinish: { stabilityThreshold: 100, pollInterval: 20 },
  });
  let watched = new Set(files);
  const waiting = new Set<string>();
  let busy = false;

  const next = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    while (waiting.size > 0) {
      const paths = [...waiting];
      waiting.clear();
      const now = new Set(await changed(paths));
      watcher.unwatch([...watched].filter((file) => !now.has(file)));
      watcher.add([...now].filter((file) => !watched.has(file)));
      watched = now;
    }
    busy = false;
  };
  watcher.on('all', (event, path) => {
    if (event !== 'add' && event !== 'change' && event !== 'unlink') return;
    waiting.add(path);
    void next();
  });
  await new Promise<void>((resolve) => watcher.once('ready', () => resolve()));
  return { close: () => watcher.close() };
}
