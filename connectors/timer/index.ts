import type { Connector } from '#sdk';
import { definition } from './definition.ts';

export const timer: Connector = {
  definition,
  source: () => import('./source.ts'),
};
