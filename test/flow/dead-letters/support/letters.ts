import type { IntegrationSource } from '../../../../src/core/written.ts';
import type { DeadLetter } from '../../../../src/flow/dead-letter.ts';
import type { DeadLetters } from '../../../../src/flow/dead-letters/dead-letters.ts';
import { type Definition, definitionOf } from '../../../../src/flow/dead-letters/definition.ts';
import { spaces } from '../../../../src/flow/dead-letters/keys.ts';
import type { Query } from '../../../../src/flow/dead-letters/query.ts';
import { entries } from '../../../../src/store/entries.ts';
import type { Store } from '../../../../src/store/store.ts';

export const letter = (change: Partial<DeadLetter> = {}): DeadLetter => ({
  id: 'a',
  type: 'message',
  integration: 'shop',
  version: '1.0.0',
  flow: 'orders',
  place: 'orders/steps/0 call',
  code: 'http-500',
  kind: 'transient',
  detail: 'backend answered 500',
  attempts: 5,
  receivedAt: 1_000,
  failedAt: 2_000,
  headers: {},
  source: undefined,
  contentType: 'application/json',
  ...change,
});

export const definition = (text: string): Definition =>
  definitionOf({
    file: '/shop/integration.yaml',
    texts: new Map([
      ['/shop/integration.yaml', text],
      ['/shop/schemas/order.json', '{}'],
    ]),
  } satisfies Pick<IntegrationSource, 'file' | 'texts'>);

/** The ids of all that fit, through as many pages as it takes. */
export async function idsOf(letters: DeadLetters, query: Partial<Query> = {}): Promise<readonly string[]> {
  const ids: string[] = [];
  let after: string | undefined;
  do {
    const page = await letters.list({ limit: 100, ...query, after });
    ids.push(...page.letters.map(({ id }) => id));
    after = page.next;
  } while (after !== undefined);
  return ids;
}

/** Everything that is in the store because of dead letters: `space key`. */
export async function litter(store: Store): Promise<readonly string[]> {
  const found: string[] = [];
  for (const space of Object.values(spaces)) {
    for await (const { key } of entries(store, space)) found.push(`${space} ${key}`);
  }
  return found;
}
