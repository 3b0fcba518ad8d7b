import { loadConnectors } from '../../connectors/load.ts';
import type { Connector } from '../sdk.ts';
import { loadSteps } from '../steps/load.ts';
import type { StepDefinition } from '../steps/step.ts';

/** The words of the language. */
export interface Words {
  readonly steps: readonly StepDefinition[];
  readonly connectors: Readonly<Record<string, Connector>>;
}

/**
 * Those that stand in the text, in whatever place: each that a correct file can mean, and not the many others, whose
 * descriptions would cost a start 18 ms and 2 MB.
 */
export function wordsIn(text: string): Promise<Words> {
  const written = new Set(text.match(/\w+/g));
  return loadWords((name) => written.has(name));
}

/** All of them: whoever made a mistake is told what could have been meant. */
export const allWords = (): Promise<Words> => loadWords(() => true);

async function loadWords(wanted: (name: string) => boolean): Promise<Words> {
  const [steps, connectors] = await Promise.all([loadSteps(wanted), loadConnectors(wanted)]);
  return { steps, connectors };
}
