import { execFileSync } from 'node:child_process';

/** A Node that is too old for Dowel, as Linux distributions have it; `undefined` where there is none. */
export function oldNode(): string | undefined {
  return ['/usr/bin/node', '/usr/local/bin/node', '/opt/node/bin/node'].find((path) => {
    try {
      const version = execFileSync(path, ['--version'], { encoding: 'utf8' });
      return Number(/^v(\d+)\./.exec(version)?.[1] ?? 99) < 24;
    } catch {
      return false;
    }
  });
}
