import { passwordsIn } from '../core/url-passwords.ts';
import { type Deployable, listens } from './deployable.ts';
import { type Manifest, metadata } from './manifest.ts';
import { mayBeAbsent, nameAt, podName, writtenAt } from './written.ts';

function configValues(one: Deployable): Readonly<Record<string, string>> {
  const values = Object.entries(one.source.config).filter(([name, value]) => name !== podName && value !== undefined);
  const everywhere = hostToOpen(one);
  return Object.fromEntries(values.map(([name, value]) => [name, name === everywhere ? '0.0.0.0' : String(value)]));
}

export function configMap(one: Deployable): Manifest | undefined {
  const data = configValues(one);
  if (Object.keys(data).length === 0) return undefined;
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(one.naming, '-config'), data };
}

const secretName = ({ naming }: Deployable): string => `${naming.name}-secrets`;

export function environment(one: Deployable): readonly unknown[] {
  const { source, root, processEnv } = one;
  const secrets = source.secretNames.map((name) => ({
    name,
    valueFrom: {
      secretKeyRef: { name: secretName(one), key: name, ...(mayBeAbsent(root, name) ? { optional: true } : {}) },
    },
  }));
  const pod = { name: podName, valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } };
  return [
    { name: 'DOWEL_ADMIN_HOST', value: '0.0.0.0' },
    ...Object.entries(processEnv).map(([name, value]) => ({ name, value })),
    ...(podName in source.config ? [pod] : []),
    ...secrets,
  ];
}

export function configProblems({ source, root }: Deployable): readonly string[] {
  const holds = (text: unknown): boolean => typeof text === 'string' && passwordsIn(text).length > 0;
  const open = Object.entries(source.config).filter(([, value]) => holds(value));
  const written = [...Object.keys(source.config), ...source.secretNames].filter((name) =>
    holds(writtenAt(root, `/config/${name}/default`)),
  );
  return [
    ...open.map(
      ([name]) => `the value of ${name} holds a password, and a ConfigMap is no secret: write \`secret: true\` there`,
    ),
    ...written.map(
      (name) =>
        `the default of ${name} holds a password, and the definition goes into a ConfigMap, which is no secret: leave the default out`,
    ),
  ];
}

export function configNotes(one: Deployable): readonly string[] {
  const { source, root } = one;
  const values = configValues(one);
  const missing = Object.keys(source.config).filter(
    (name) => name !== podName && !(name in values) && !mayBeAbsent(root, name),
  );
  const local = Object.entries(values).filter(([, value]) =>
    /^\w+:\/\/(localhost|127\.0\.0\.1|\[::1\])([:/]|$)/.test(value),
  );
  return [
    ...missing.map((name) => `${name} has no value, and the pods will not start without: ${name}=… dowel kube …`),
    ...openDefaults(one).map(
      (name) =>
        `the default of ${name} stands in the definition, and so in a ConfigMap, which is no secret. The pods take the one of the Secret: leave the default out, or let it be one that opens nothing`,
    ),
    ...local.map(([name, value]) => `${name} is ${value}, which is the pod itself: ${name}=… dowel kube …`),
    ...hostNote(one),
  ];
}

/** Secrets whose default can be read; what names a place without a password gives nothing away. */
const openDefaults = ({ source, root }: Deployable): readonly string[] =>
  source.secretNames.filter((name) => {
    const text = writtenAt(root, `/config/${name}/default`);
    return text !== undefined && text !== '' && !/^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  });

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');

/** The name under `config` that would have the http sources listen on loopback, where no Service reaches them. */
const hostToOpen = ({ source, root }: Deployable): string | undefined =>
  listens(source) && isLoopback(source.server.host) ? nameAt(root, '/server/host') : undefined;

function hostNote(one: Deployable): readonly string[] {
  const { host } = one.source.server;
  if (!listens(one.source) || !isLoopback(host)) return [];
  const name = hostToOpen(one);
  if (name !== undefined) return [`${name} is 0.0.0.0 in the ConfigMap, and not ${host}, where no Service reaches it`];
  return [`server.host is ${host}, where no Service reaches it: write \`host: 0.0.0.0\`, or leave it out`];
}

/** Which commands make the secrets: their values are never written down here. */
export function secretNotes(
  one: Deployable,
  files: readonly { readonly key: string; readonly path: string }[],
): readonly string[] {
  const { source, naming } = one;
  const create = (name: string, parts: readonly string[]): string =>
    [
      'kubectl create secret generic',
      name,
      ...(naming.namespace ? ['--namespace', naming.namespace] : []),
      ...parts,
    ].join(' ');
  const literals = source.secretNames.map((name) => `--from-literal=${name}="$${name}"`);
  const fromFiles = files.map(({ key, path }) => `--from-file=${key}=${path}`);
  return [
    ...(literals.length > 0 ? [`make the secret first:\n  ${create(secretName(one), literals)}`] : []),
    ...(fromFiles.length > 0
      ? [`make the secret of the files first:\n  ${create(`${naming.name}-files`, fromFiles)}`]
      : []),
  ];
}
