import type { Connector } from '#sdk';
import { httpDefinition } from './definition.ts';

export const http: Connector = {
  definition: httpDefinition,
  source: () => import('./source.ts'),
  endpoint: () => import('./endpoint.ts'),
  telemetry: () => import('./telemetry.ts'),
  description: () => import('./describe.ts'),
  rehearsal: () => import('./rehearsal.ts'),
};
