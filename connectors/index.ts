import type { ConnectorDefinition } from '#sdk';
import { loadConnectors } from './load.ts';

/** Every connector by its key in the file. */
export const connectors = await loadConnectors(() => true);

/** Their descriptions alone: what reading and checking a file needs. */
export const connectorDefinitions: Readonly<Record<string, ConnectorDefinition>> = Object.fromEntries(
  Object.entries(connectors).map(([name, connector]) => [name, connector.definition]),
);
