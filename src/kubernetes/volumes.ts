import type { Carried } from './definition.ts';
import { type Deployable, folder } from './deployable.ts';
import { type Manifest, metadata } from './manifest.ts';

export interface Storage {
  readonly volumes: readonly unknown[];
  readonly mounts: readonly unknown[];
}

/** What the container sees beside its image: the definition, `/tmp`, and the disk that outlives the pod. */
export function storageOf({ naming }: Deployable, files: readonly Carried[], written: readonly string[]): Storage {
  const items = (wanted: boolean) =>
    files.filter((file) => file.isPrivate === wanted).map(({ key, path }) => ({ key, path }));
  const definition = {
    name: 'definition',
    projected: {
      sources: [
        { configMap: { name: `${naming.name}-definition`, items: items(false) } },
        ...(items(true).length > 0 ? [{ secret: { name: `${naming.name}-files`, items: items(true) } }] : []),
      ],
    },
  };
  const tmp = { volume: { name: 'tmp', emptyDir: { sizeLimit: '256Mi' } }, mount: { name: 'tmp', mountPath: '/tmp' } };
  const data = written.map((path) => ({ name: 'data', mountPath: path, subPath: path.slice(1) }));
  return {
    volumes: [
      definition,
      tmp.volume,
      ...(written.length > 0 ? [{ name: 'data', persistentVolumeClaim: { claimName: `${naming.name}-data` } }] : []),
    ],
    mounts: [...data, ...definitionMounts(files, written), tmp.mount],
  };
}

/** Where something is written beside the definition, its files lie on the disk one by one. */
function definitionMounts(files: readonly Carried[], written: readonly string[]): readonly unknown[] {
  if (!written.includes(folder)) return [{ name: 'definition', mountPath: folder, readOnly: true }];
  return files.map(({ path }) => ({
    name: 'definition',
    mountPath: `${folder}/${path}`,
    subPath: path,
    readOnly: true,
  }));
}

export function volumeClaim({ naming }: Deployable, written: readonly string[]): Manifest | undefined {
  if (written.length === 0) return undefined;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadata(naming, '-data'),
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  };
}
