import { failure, type OpenSource, type Source } from '#sdk';

export const openSource = (async (): Promise<Source> => {
  throw failure('startup', { what: 'The soap source', detail: 'it is still being written' });
}) satisfies OpenSource;
