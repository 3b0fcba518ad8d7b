import type { StepSource } from '../core/written.ts';

/** A step of the integration, and how often it ran in the tests. */
export interface StepCount {
  /** JSON pointer in the integration. */
  readonly pointer: string;
  readonly kind: string;
  readonly name: string | undefined;
  readonly count: number;
}

/** Counts the steps that run, over all tests of an integration. */
export class Coverage {
  readonly #steps = new Map<string, { readonly step: StepSource; count: number }>();

  /** To be given to the compiler. */
  readonly watch = (step: StepSource): (() => void) => {
    let entry = this.#steps.get(step.pointer);
    if (!entry) {
      entry = { step, count: 0 };
      this.#steps.set(step.pointer, entry);
    }
    const counted = entry;
    return () => {
      counted.count++;
    };
  };

  /** In the order of the file, as far as the compiler follows it. */
  get steps(): readonly StepCount[] {
    return [...this.#steps.values()]
      .filter(({ step }) => /\/\d+$/.test(step.pointer))
      .map(({ step, count }) => ({ pointer: step.pointer, kind: step.kind, name: step.name, count }));
  }
}
