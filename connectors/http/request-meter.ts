import type { SourceContext } from '#sdk';

type Meter = SourceContext['services']['meter'];
type Histogram = ReturnType<Meter['histogram']>;

/** A caller may invent methods: each would be a series of its own. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export const knownMethod = (method: string | undefined): string =>
  method !== undefined && methods.has(method) ? method : '_OTHER';

/** Requests by method, route and status, under the names of OpenTelemetry's semantic conventions for HTTP servers. */
export class RequestMeter {
  readonly #meter: Meter;
  /** By route, then by status, then by method: a text of all three would have to be made for every request. */
  readonly #series = new Map<string, Map<number, Map<string, Histogram>>>();

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  /** `route`: as the file writes it; empty where nothing is served. */
  served(method: string | undefined, route: string, status: number, ms: number): void {
    const known = knownMethod(method);
    const series = this.#series.get(route)?.get(status)?.get(known) ?? this.#add(known, route, status);
    series.record(ms / 1000);
  }
  #add(method: string, route: string, status: number): Histogram {
    const series = this.#meter.histogram(
      'http_server_request_duration_seconds',
      'From the last header of a request to the last byte of its answer.',
      { http_request_method: method, http_route: route, http_response_status_code: String(status) },
    );
    const byStatus = this.#series.get(route) ?? new Map<number, Map<string, Histogram>>();
    const byMethod = byStatus.get(status) ?? new Map<string, Histogram>();
    this.#series.set(route, byStatus.set(status, byMethod.set(method, series)));
    return series;
  }
}
