import { detailOf, Failure, failure } from '../errors.ts';

/** How what an integration opens is called when it makes trouble. */
export const endpointCalled = (name: string): string => `The endpoint \`${name}\``;
export const sourceOf = (flow: string): string => `The source of the flow \`${flow}\``;

/** What is opened, or the failure that says what could not be. */
export async function starting<T>(what: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.code === 'startup') throw thrown;
    const detail = detailOf(thrown);
    throw failure('startup', { what, detail }, { cause: thrown });
  }
}
