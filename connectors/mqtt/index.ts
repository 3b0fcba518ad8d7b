import type { Connector } from '#sdk';
import { definition } from './definition.ts';

export const mqtt: Connector = {
  definition,
  source: () => import('./source.ts'),
  endpoint: () => import('./endpoint.ts'),
  telemetry: () => import('./telemetry.ts'),
  description: () => import('./describe.ts'),
};
