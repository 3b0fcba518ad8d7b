import type { IncomingMessage } from 'node:http';
import type { CorsOptions } from './definition.ts';

/** Cross-origin rules of one route (Fetch standard, §3.3), as raw header pairs. */
export interface Cors {
  /** For every answer, so that pages can read problems too. */
  answer(request: IncomingMessage): readonly string[];
  preflight(request: IncomingMessage, allow: readonly string[]): readonly string[];
}

export const isPreflight = (request: IncomingMessage): boolean =>
  request.method === 'OPTIONS' &&
  request.headers.origin !== undefined &&
  request.headers['access-control-request-method'] !== undefined;

export function compileCors(options: CorsOptions): Cors {
  const everyone = options.origins.includes('*');
  const origins = new Set(options.origins.map((origin) => origin.toLowerCase()));
  const credentials = options.credentials ? ['access-control-allow-credentials', 'true'] : [];
  const expose = options.expose ? ['access-control-expose-headers', options.expose.join(', ')] : [];
  const maxAge = ['access-control-max-age', String(Math.floor(options.maxAge / 1000))];

  const allowOrigin = (request: IncomingMessage): readonly string[] | undefined => {
    const { origin } = request.headers;
    if (everyone) return ['access-control-allow-origin', '*'];
    return origin !== undefined && origins.has(origin.toLowerCase())
      ? ['access-control-allow-origin', origin]
      : undefined;
  };
  // The answer depends on who asks: caches must know, also when the origin was refused.
  const vary = everyone ? [] : ['vary', 'origin'];

  return {
    answer(request) {
      const allowed = request.headers.origin === undefined ? undefined : allowOrigin(request);
      return allowed ? [...allowed, ...credentials, ...expose, ...vary] : vary;
    },
    preflight(request, allow) {
      const allowed = allowOrigin(request);
      if (!allowed) return vary;
      const headers = options.headers?.join(', ') ?? request.headers['access-control-request-headers'];
      return [
        ...allowed,
        ...credentials,
        ...maxAge,
        ...['access-control-allow-methods', (options.methods ?? allow).join(', ')],
        ...(typeof headers === 'string' && headers !== '' ? ['access-control-allow-headers', headers] : []),
        ...vary,
      ];
    },
  };
}
