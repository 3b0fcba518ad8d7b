import type { Log } from '../core/exchange.ts';
import type { Store } from '../store/store.ts';
import type { Program } from './program.ts';

/** What steps keep messages in, and below which words of their keys messages wait. */
const places: Readonly<Record<string, readonly string[]>> = {
  aggregate: ['open', 'complete'],
  resequence: ['waiting'],
};

/** Says which messages wait for a step that is not in the file any more: under this name nobody will find them. */
export async function reportLeftBehind(program: Program, log: Log): Promise<void> {
  const { store } = program.store;
  if (!store) return;
  const known = new Set(program.laters.map(({ flow }) => flow.name));
  for (const [space, words] of Object.entries(places)) {
    let after: string | undefined;
    for (;;) {
      const { entries } = await store.list(space, { after, limit: 1 });
      const step = entries[0]?.key.split(' ', 1)[0];
      if (step === undefined) break;
      // All other keys of this step are skipped.
      after = `${step} \u{10ffff}`;
      if (!known.has(step) && (await waits(store, space, step, words))) {
        log.warn('messages wait for a step that the file does not have any more', { step });
      }
    }
  }
}

async function waits(store: Store, space: string, step: string, words: readonly string[]): Promise<boolean> {
  for (const word of words) {
    const { entries } = await store.list(space, { prefix: `${step} ${word} `, limit: 1 });
    if (entries.length > 0) return true;
  }
  return false;
}
