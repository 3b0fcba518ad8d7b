import { type Entry, type ListOptions, limits, type Store } from './store.ts';

/**
 * All entries of a space in the order of their keys, page by page. What is written or deleted behind the place where it
 * stands is seen if it happens before its page is read.
 */
export async function* entries(
  store: Pick<Store, 'list'>,
  space: string,
  options: Omit<ListOptions, 'limit'> & { readonly limit?: number } = {},
): AsyncGenerator<Entry, void, undefined> {
  let after = options.after;
  do {
    const page = await store.list(space, { prefix: options.prefix, after, limit: options.limit ?? limits.page });
    yield* page.entries;
    after = page.next;
  } while (after !== undefined);
}
