import type { Connector } from '#sdk';
import { soapDefinition } from './definition.ts';

/** SOAP over the machinery of `carrier`. */
export const soapOver = (carrier: Connector): Connector => ({
  definition: soapDefinition(carrier.definition),
  source: () => import('./source.ts'),
  endpoint: () => import('./endpoint.ts'),
  async telemetry() {
    const [{ soapTelemetry }, below] = await Promise.all([import('./telemetry.ts'), carrier.telemetry?.()]);
    return { telemetry: soapTelemetry(below?.telemetry) };
  },
  async description() {
    const [{ soapDescription }, below] = await Promise.all([import('./describe.ts'), carrier.description?.()]);
    return { description: soapDescription(below?.description) };
  },
});
