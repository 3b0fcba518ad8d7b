/** Spans of files (https://opentelemetry.io/docs/specs/semconv/registry/attributes/file/). */
import type { Exchange, Incoming, Telemetry } from '#sdk';
import type { FileEndpointOptions } from './definition.ts';

export const telemetry: Telemetry = {
  source: () => ({
    kind: 'consumer',
    began({ origin: { source = {} } }: Incoming) {
      const { path, name, size } = source;
      return { name: 'process file', attributes: { 'file.path': path, 'file.name': name, 'file.size': size } };
    },
  }),
  endpoint: ({ path }: FileEndpointOptions) => ({
    began({ operation }: Exchange) {
      const { name, append } = (operation ?? {}) as { readonly name?: unknown; readonly append?: unknown };
      return {
        kind: 'producer',
        name: append === true ? 'append file' : 'write file',
        attributes: { 'file.path': path, 'file.name': name },
      };
    },
  }),
};
