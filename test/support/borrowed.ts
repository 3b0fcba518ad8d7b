/**
 * Servers that take seconds to start: `npm test` has one of each for all test files that need nothing of their own. It
 * starts when the first asks for it, see `lending.ts`; a file that runs by itself starts its own.
 */

/** Where they are lent. */
export const lenderVariable = 'DOWEL_TEST_LENDER';

/** What is lent of a server; `undefined`: nobody lends it. */
export async function borrowed<T>(server: string): Promise<T | undefined> {
  const lender = process.env[lenderVariable];
  if (lender === undefined) return undefined;
  const answer = await fetch(`${lender}/${server}`, { method: 'POST' });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${server}: ${text}`);
  return text === '' ? undefined : (JSON.parse(text) as T);
}
