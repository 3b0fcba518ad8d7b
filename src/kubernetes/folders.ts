import { posix } from 'node:path';
import { type Deployable, flowsFrom, folder } from './deployable.ts';
import { databasePath } from './single.ts';

/** Where the integration writes: each is on the disk that outlives the pod. */
export function writtenFolders(one: Deployable): readonly string[] {
  const database = databasePath(one);
  const sources = flowsFrom(one.source, 'file').flatMap(({ from }) => watched(from?.options));
  const endpoints = Object.values(one.source.endpoints)
    .filter((endpoint) => endpoint.connector.name === 'file')
    .map((endpoint) => parent((endpoint.connector.options as { readonly path: string }).path));
  const found = [...(database === undefined ? [] : [parent(database)]), ...sources, ...endpoints];
  // A folder within that of the definition has its mount point there: that must be writable too.
  const around = found.some((path) => path.startsWith(`${folder}/`)) ? [folder] : [];
  return [...new Set([...around, ...found])].sort();
}

/** The folder of a source, and those that its files are moved to. */
function watched(options: unknown): readonly string[] {
  const { path, done, failed } = options as WatchedFolders;
  return [path, done?.folder, failed].filter((folder) => folder !== undefined);
}

interface WatchedFolders {
  readonly path: string;
  readonly done?: { readonly folder?: string };
  readonly failed?: string;
}

/** Nothing can be mounted over the root. */
const parent = (path: string): string => (posix.dirname(path) === '/' ? path : posix.dirname(path));
