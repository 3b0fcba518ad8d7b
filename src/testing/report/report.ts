import type { Diagnostic } from '../../integration/diagnostic.ts';
import type { FileResult } from '../run.ts';

/** What came of one test file. */
export interface FileReport {
  /** As the person called it. */
  readonly file: string;
  /** Why it, or its integrations, could not be run; by file. */
  readonly broken: readonly { readonly file: string; readonly diagnostics: readonly Diagnostic[] }[];
  readonly result: FileResult;
}

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly broken: number;
}

export function totalsOf(reports: readonly FileReport[]): Totals {
  const tests = reports.flatMap((one) => one.result.tests);
  const failed = tests.filter((test) => test.differences.length > 0).length;
  return {
    passed: tests.length - failed,
    failed,
    skipped: reports.reduce((sum, one) => sum + one.result.skipped, 0),
    broken: reports.filter((one) => one.broken.length > 0).length,
  };
}

/** How many of the steps ran, in percent; 100 where there are none. */
export function percentOf(reports: readonly FileReport[]): number {
  const steps = stepsOf(reports).flatMap((one) => one.steps);
  const ran = steps.filter((step) => step.count > 0).length;
  return steps.length === 0 ? 100 : (100 * ran) / steps.length;
}

/** By integration: several files may test the same. */
export function stepsOf(reports: readonly FileReport[]): FileResult['coverage'] {
  const merged = new Map<string, Map<string, FileResult['coverage'][number]['steps'][number]>>();
  for (const { integration, steps } of reports.flatMap((one) => one.result.coverage)) {
    const known = merged.get(integration) ?? new Map();
    for (const step of steps) {
      known.set(step.pointer, { ...step, count: step.count + (known.get(step.pointer)?.count ?? 0) });
    }
    merged.set(integration, known);
  }
  return [...merged].map(([integration, steps]) => ({ integration, steps: [...steps.values()] }));
}
