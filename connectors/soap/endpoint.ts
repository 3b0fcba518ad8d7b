import { type Endpoint, failure, type OpenEndpoint } from '#sdk';

export const openEndpoint = (async (): Promise<Endpoint> => {
  throw failure('startup', { what: 'The soap endpoint', detail: 'it is still being written' });
}) satisfies OpenEndpoint;
