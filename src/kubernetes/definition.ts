import { posix } from 'node:path';
import { isCredential } from '../core/credentials.ts';
import { type Deployable, folder } from './deployable.ts';
import { type Manifest, metadata } from './manifest.ts';

/** A file of the definition: its path in the folder, and the key that holds it in a ConfigMap or a Secret. */
export interface Carried {
  readonly key: string;
  readonly path: string;
  readonly text: string;
  /** A key or credentials: nothing for a ConfigMap. */
  readonly isPrivate: boolean;
}

/** The limit of Kubernetes for all that a ConfigMap holds. */
const maxBytes = 1024 * 1024;

export function carriedFiles({ source }: Deployable): readonly Carried[] {
  const taken = new Set<string>();
  return [...source.texts].map(([absolute, text]) => {
    const path = posix.relative(folder, absolute);
    const plain = path.replaceAll(/[^-._a-zA-Z0-9]/g, '_');
    let key = plain;
    for (let count = 2; taken.has(key); count++) key = `${plain}-${count}`;
    taken.add(key);
    return { key, path, text, isPrivate: absolute !== source.file && isPrivate(text, source.secrets) };
  });
}

const isPrivate = (text: string, secrets: readonly string[]): boolean =>
  isCredential(text) || secrets.includes(text.trim());

export function definitionMap(one: Deployable, files: readonly Carried[]): Manifest {
  const open = files.filter((file) => !file.isPrivate);
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(one.naming, '-definition'),
    data: Object.fromEntries(open.map((file) => [file.key, file.text])),
  };
}

/** What keeps the definition out of a ConfigMap. */
export function definitionProblems(files: readonly Carried[]): readonly string[] {
  const bytes = files
    .filter((file) => !file.isPrivate)
    .reduce((sum, file) => sum + Buffer.byteLength(file.text) + Buffer.byteLength(file.key), 0);
  if (bytes <= maxBytes) return [];
  const [largest] = files.toSorted((a, b) => b.text.length - a.text.length);
  const problem = `the definition and its files have ${bytes} bytes, and a ConfigMap holds 1 MiB (${maxBytes}); the largest is ${largest?.path}: build an image that has them, or make them smaller`;
  return [problem];
}

/** Modules that a script imports stand in no definition: they are not carried along. */
export function definitionNotes(files: readonly Carried[]): readonly string[] {
  return files
    .filter((file) => /\.[cm]?[jt]s$/.test(file.path) && /(\bfrom|\bimport)\s*\(?\s*['"]\.{1,2}\//.test(file.text))
    .map((file) => `${file.path} imports other files, which are not in the ConfigMap: put all of it into one file`);
}
