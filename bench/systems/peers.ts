import { nodeRed } from './node-red/node-red.ts';
import type { System } from './system.ts';

/** Systems of other makers. None of them is a dependency: each says how to install it where it is not there. */
export const peers: readonly System[] = [nodeRed];
