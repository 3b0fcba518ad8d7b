import type { AdminWorld } from '../../../src/operations/admin/world.ts';
import { recordingLog } from '../../support/plain-context.ts';

/** An integration of which there is nothing to tell. */
export const emptyWorld = (): AdminWorld => ({
  ready: true,
  started: true,
  integration: 'shop',
  log: { ...recordingLog(), debugging: false, level: 'info', setLevel: () => {} },
  status: () => undefined,
  sourceOf: () => undefined,
  breakerOf: () => undefined,
  metrics: async () => '',
  document: async () => undefined,
  deadLetters: () => Promise.reject(new Error('nobody asks for them here')),
});
