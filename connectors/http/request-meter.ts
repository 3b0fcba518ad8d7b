import type { SourceContext } from '#sdk';

type Meter = SourceContext['services']['meter'];
type Histogram = ReturnType<Meter['histogram']>;

/** A caller may invent methods: each would be a series of its own. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Requests by method, route and status, under the names of OpenTelemetry's semantic conventions for HTTP servers. */
export class RequestMeter {
  readonly #meter: Meter;
  readonly #series = new Map<string, Histogram>();

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  /** `route`: as the file writes it; empty where nothing is served. */
  served(method: string | undefined, route: string, status: number, ms: number): void {
    const known = method !== undefined && methods.has(method) ? method : '_OTHER';
    const key = `${known} ${status} ${route}`;
    let series = this.#series.get(key);
    if (!series) {
      series = this.#meter.histogram(
        'http_server_request_duration_seconds',
        'From the last header of a request to the last byte of its answer.',
        { http_request_method: known, http_route: route, http_response_status_code: String(status) },
      );
      this.#series.set(key, series);
    }
    series.record(ms / 1000);
  }
}
