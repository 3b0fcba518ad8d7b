import { type Deployable, listens } from './deployable.ts';
import { type Manifest, metadata } from './manifest.ts';
import { namesIn } from './written.ts';

export function service({ source, naming }: Deployable): Manifest | undefined {
  if (!listens(source)) return undefined;
  const name = portName(source);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(naming),
    spec: { selector: naming.selector, ports: [{ name, port: source.server.tls ? 443 : 80, targetPort: name }] },
  };
}

/** What the http sources speak; meshes and ingresses go by it. */
export const portName = ({ server }: Deployable['source']): string => (server.tls ? 'https' : 'http');

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
export function portProblems({ source, root }: Deployable): readonly string[] {
  const ports = [
    ...(listens(source) ? [{ where: 'server.port', port: source.server.port, like: 8080 }] : []),
    { where: 'admin.port', port: source.admin.port, like: 9400 },
  ];
  return ports.flatMap(({ where, port, like }) => {
    const names = namesIn(root, `/${where.replace('.', '/')}`).filter((name) => source.config[name] === undefined);
    if (port !== 0 && names.length === 0) return [];
    const instead = names.length > 0 ? `${names.join(', ')}=${like} dowel kube …` : `write ${like}`;
    return [`${where} has no number, and a container needs one: ${instead}`];
  });
}
