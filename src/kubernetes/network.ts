import { type Deployable, listens } from './deployable.ts';
import { type Manifest, metadata } from './manifest.ts';

export function service({ source, naming }: Deployable): Manifest | undefined {
  if (!listens(source)) return undefined;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(naming),
    spec: { selector: naming.selector, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  };
}

export function disruptionBudget({ naming }: Deployable, replicas: number): Manifest | undefined {
  if (replicas < 2) return undefined;
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(naming),
    spec: { maxUnavailable: 1, selector: { matchLabels: naming.selector } },
  };
}

/** Ports that a manifest must name. */
export function portProblems({ source }: Deployable): readonly string[] {
  const free = (port: unknown): boolean => !Number.isInteger(port) || port === 0;
  const says = (where: string, like: number): string =>
    `${where} has no number, and a container needs one: write ${like}, or set the value that stands there`;
  return [
    ...(listens(source) && free(source.server.port) ? [says('server.port', 8080)] : []),
    ...(free(source.admin.port) ? [says('admin.port', 9400)] : []),
  ];
}
