import { Child } from '../child.ts';
import type { System } from './system.ts';

const program = new URL('../by-hand/main.ts', import.meta.url);

/** The same jobs written by hand: node:http and undici's `dispatch`, plain JavaScript, nothing in between. */
export const byHand: System = {
  name: 'by-hand',
  title: 'written by hand',
  missing: () => undefined,
  start: async (scenario, backendUrl) => {
    const child = new Child(program, { args: [scenario.name, backendUrl], measured: true });
    const { port } = await child.ask<{ readonly port: number }>();
    return { port, cpu: async () => (await child.usage()).cpu, stop: () => child.stop() };
  },
};
