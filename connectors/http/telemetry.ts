/** Spans of HTTP requests (https://opentelemetry.io/docs/specs/semconv/http/http-spans/). */
import type {
  Attributes,
  EndpointTelemetry,
  Exchange,
  Failure,
  Incoming,
  ServerSource,
  SourceTelemetry,
  Telemetry,
} from '#sdk';
import type { EndpointOptions, SourceOptions } from './definition.ts';
import type { Operation } from './request.ts';
import { knownMethod } from './request-meter.ts';

const known = (method: unknown): string => knownMethod(typeof method === 'string' ? method : undefined);

function source(options: SourceOptions, server: ServerSource): SourceTelemetry {
  const { path: route, reply } = options;
  const scheme = server.tls ? 'https' : 'http';
  return {
    // The caller of `reply: accepted` has its answer before the message is begun.
    kind: reply === 'accepted' ? 'consumer' : 'server',
    began({ origin, headers }: Incoming) {
      const { method, path, remoteAddress } = origin.source ?? {};
      const name = known(method);
      return {
        name: `${name === '_OTHER' ? 'HTTP' : name} ${route}`,
        attributes: {
          'http.request.method': name,
          'http.route': route,
          'url.path': path,
          'url.scheme': scheme,
          'client.address': remoteAddress,
          ...addressOf(typeof headers['host'] === 'string' ? `${scheme}://${headers['host']}` : undefined),
        },
      };
    },
    ended: (status) => (reply === 'accepted' ? {} : { 'http.response.status_code': status }),
  };
}

function endpoint(options: EndpointOptions): EndpointTelemetry {
  // Of several targets one is chosen for each request: who chooses says which.
  const target = options.url === undefined || options.dns ? undefined : URL.parse(options.url);
  const address = target ? addressOf(target.href) : {};
  const base = target?.pathname.replace(/\/+$/, '') ?? '';
  return {
    began({ operation }: Exchange) {
      const { method = 'POST', path } = (operation ?? {}) as Operation;
      const name = known(typeof method === 'string' ? method.toUpperCase() : method);
      return {
        kind: 'client',
        name: name === '_OTHER' ? 'HTTP' : name,
        attributes: {
          'http.request.method': name,
          // What stands behind the path may be a key.
          'url.full': target ? target.origin + (base + pathOf(path) || '/') : undefined,
          ...address,
        },
      };
    },
    ended: (answer, error) => statusOf(answer, error),
  };
}

function pathOf(path: unknown): string {
  const [plain = ''] = typeof path === 'string' ? path.split('?', 1) : [];
  return plain === '' || plain.startsWith('/') ? plain : `/${plain}`;
}

function statusOf(answer: Exchange | undefined, error: Failure | undefined): Attributes {
  const told = error ? error.facts['status'] : answer?.response?.status;
  const status = typeof told === 'number' ? told : undefined;
  // The convention names an answer that was not wanted by its status alone.
  const named = error !== undefined && status !== undefined ? { 'error.type': String(status) } : {};
  return { 'http.response.status_code': status, ...named };
}

const ports: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** Of a URL. */
export function addressOf(text: string | undefined): Attributes {
  const url = text === undefined ? null : URL.parse(text);
  if (!url) return {};
  return {
    'server.address': url.hostname.replace(/^\[|\]$/g, ''),
    'server.port': url.port === '' ? ports[url.protocol] : Number(url.port),
  };
}

export const telemetry: Telemetry = { source, endpoint };
