import type { Description } from '#sdk';
import type { SoapSourceOptions } from './definition.ts';

const mediaTypes = { '1.1': 'text/xml', '1.2': 'application/soap+xml' } as const;

/** As the connector below says, with the media types of SOAP. */
export const soapDescription = (below: Description | undefined): Description => ({
  serves: (options: SoapSourceOptions) => {
    const carried = below?.serves?.({ ...options, method: 'POST' } as never);
    return {
      ...(carried ?? { methods: ['POST'], path: '/', accepted: false, limited: false, security: [] }),
      mediaTypes: options.versions.map((version) => mediaTypes[version]),
    };
  },
});
