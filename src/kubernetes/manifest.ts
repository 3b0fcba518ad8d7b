import type { IntegrationSource } from '../core/written.ts';

/** An object of Kubernetes, as `kubectl apply` takes it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly [key: string]: unknown;
}

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What all objects of one integration are called by. */
export interface Naming {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Of its pods: these labels never change, for a Deployment cannot change its selector. */
  readonly selector: Readonly<Record<string, string>>;
}

export function namingOf(source: IntegrationSource, namespace: string | undefined): Naming {
  const name = objectName(source.name);
  const selector = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/component': 'integration' };
  const version = labelValue(source.version ?? '');
  const labels = {
    ...selector,
    ...(version === '' ? {} : { 'app.kubernetes.io/version': version }),
    'app.kubernetes.io/managed-by': 'dowel',
  };
  return { name, namespace, labels, selector };
}

export const metadata = (naming: Naming, suffix = ''): Metadata => ({
  name: `${naming.name}${suffix}`,
  ...(naming.namespace === undefined ? {} : { namespace: naming.namespace }),
  labels: naming.labels,
});

/** The longest suffix fits behind it: names of Services have 63 characters at most, and begin with a letter. */
const maxName = 50;

function objectName(name: string): string {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9-]+/g, '-');
  const begun = /^[a-z]/.test(plain) ? plain : `dowel-${plain}`;
  return begun.slice(0, maxName).replace(/-+$/, '');
}

const labelValue = (text: string): string =>
  text
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
