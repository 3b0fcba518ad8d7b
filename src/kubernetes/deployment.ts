import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { environment } from './config.ts';
import { type Deployable, folder, listens } from './deployable.ts';
import { type Manifest, metadata } from './manifest.ts';
import { portName } from './network.ts';
import type { Storage } from './volumes.ts';

export interface Shape {
  /** `undefined`: an autoscaler sets it. */
  readonly replicas: number | undefined;
  /** One pod at a time, also while it is replaced. */
  readonly single: boolean;
  readonly storage: Storage;
  readonly configMap: Manifest | undefined;
  readonly definition: Manifest;
}

/** Until all know that nothing more is to be sent here. */
const leaveSeconds = 5;
/** What a run given up may take to undo, and what is closed behind it. */
const closeSeconds = 5;

export function deployment(one: Deployable, shape: Shape): Manifest {
  const { naming } = one;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(naming),
    spec: {
      ...(shape.replicas === undefined ? {} : { replicas: shape.replicas }),
      strategy: shape.single
        ? { type: 'Recreate' }
        : { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      selector: { matchLabels: naming.selector },
      template: {
        metadata: {
          labels: naming.labels,
          // Pods are replaced when what they read at start has changed.
          annotations: { 'checksum/definition': checksum([shape.definition, shape.configMap]) },
        },
        spec: podSpec(one, shape),
      },
    },
  };
}

function podSpec(one: Deployable, { storage, configMap }: Shape): unknown {
  const seconds = Math.ceil(one.drainTimeout / 1000) + closeSeconds + (listens(one.source) ? leaveSeconds : 0);
  return {
    automountServiceAccountToken: false,
    // Their variables could be taken for values of `config`.
    enableServiceLinks: false,
    terminationGracePeriodSeconds: seconds,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 10_001,
      runAsGroup: 10_001,
      fsGroup: 10_001,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: 'integration',
        image: one.image,
        args: ['run', `${folder}/${posix.basename(one.source.file)}`],
        ports: [
          ...(listens(one.source) ? [{ name: portName(one.source), containerPort: one.source.server.port }] : []),
          { name: 'admin', containerPort: one.source.admin.port },
        ],
        ...(configMap ? { envFrom: [{ configMapRef: { name: configMap.metadata.name } }] } : {}),
        env: environment(one),
        startupProbe: { ...probe('/startupz'), periodSeconds: 2, failureThreshold: 60 },
        livenessProbe: { ...probe('/livez'), periodSeconds: 10, failureThreshold: 3 },
        readinessProbe: { ...probe('/readyz'), periodSeconds: 5, failureThreshold: 2 },
        ...(listens(one.source) ? { lifecycle: { preStop: { sleep: { seconds: leaveSeconds } } } } : {}),
        resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '512Mi' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: storage.mounts,
      },
    ],
    volumes: storage.volumes,
  };
}

const probe = (path: string) => ({ httpGet: { path, port: 'admin' }, timeoutSeconds: 3 });

const checksum = (of: readonly unknown[]): string => createHash('sha256').update(JSON.stringify(of)).digest('hex');
