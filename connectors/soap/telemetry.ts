import type { EndpointTelemetry, SourceTelemetry, Telemetry } from '#sdk';

/** Spans of SOAP are those of the protocol below it; which operation it is stands beside. */
export function soapTelemetry(carrier: Telemetry | undefined): Telemetry {
  return {
    source(options: Readonly<Record<string, unknown>>, server): SourceTelemetry {
      const below = carrier?.source?.({ ...options, method: 'POST' } as never, server);
      return {
        kind: 'server',
        began: (message) => {
          const { name, attributes } = below?.began(message) ?? { name: 'SOAP', attributes: {} };
          return {
            name,
            attributes: { ...attributes, 'dowel.soap.operation': message.origin.source?.['operation'] },
          };
        },
        // Of a fault the status is that of its version, which only the answer knows.
        ended: (status, error) => below?.ended?.(error ? undefined : (status ?? 202), error) ?? {},
      };
    },
    endpoint(options: Readonly<Record<string, unknown>>): EndpointTelemetry {
      const below = carrier?.endpoint?.(options as never);
      return {
        began: (exchange) => {
          const { operation } = (exchange.operation ?? {}) as { readonly operation?: unknown };
          const facts = below?.began(exchange) ?? { kind: 'client', name: 'SOAP', attributes: {} };
          return { ...facts, attributes: { ...facts.attributes, 'dowel.soap.operation': operation } };
        },
        ended: (answer, error) => below?.ended?.(answer, error) ?? {},
      };
    },
  };
}
