import { type Deployable, listens } from './deployable.ts';
import { type Manifest, metadata } from './manifest.ts';
import { triggersOf } from './triggers.ts';

export interface Autoscaling {
  readonly manifests: readonly Manifest[];
  readonly notes: readonly string[];
}

const maxReplicas = (least: number): number => Math.max(10, 2 * least);
/** Of what is requested. */
const cpuPercent = 70;

/** By what waits at a broker (KEDA), else by the processor where callers wait; an autoscaler of a Deployment is alone. */
export function autoscaling(one: Deployable, least: number): Autoscaling {
  const { naming, source } = one;
  const { triggers, manifests, notes } = triggersOf(one);
  const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: naming.name };
  if (triggers.length > 0) {
    const cpu = { type: 'cpu', metricType: 'Utilization', metadata: { value: String(cpuPercent) } };
    const scaled: Manifest = {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      metadata: metadata(naming),
      spec: {
        scaleTargetRef: target,
        minReplicaCount: least,
        maxReplicaCount: maxReplicas(least),
        triggers: [...triggers, ...(listens(source) ? [cpu] : [])],
      },
    };
    return {
      manifests: [...manifests, scaled],
      notes: [...notes, 'the ScaledObject needs KEDA (https://keda.sh) in the cluster'],
    };
  }
  if (!listens(source)) return { manifests: [], notes };
  const resource = { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpuPercent } };
  const scaler: Manifest = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: metadata(naming),
    spec: {
      scaleTargetRef: target,
      minReplicas: least,
      maxReplicas: maxReplicas(least),
      metrics: [{ type: 'Resource', resource }],
    },
  };
  return { manifests: [scaler], notes };
}
