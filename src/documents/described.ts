import type { IntegrationSource } from '../core/written.ts';
import type { Connector, Description } from '../sdk.ts';

/** What a connector tells of itself; `undefined`: nothing. */
export type Described = (connector: string) => Promise<Description | undefined>;

export const describedBy =
  (connectors: Readonly<Record<string, Connector>>): Described =>
  async (name) =>
    (await connectors[name]?.description?.())?.description;

export const infoOf = ({ name, version, description }: IntegrationSource): Readonly<Record<string, unknown>> => ({
  title: name,
  version: version ?? '0.0.0',
  ...(description === undefined ? {} : { description }),
});
